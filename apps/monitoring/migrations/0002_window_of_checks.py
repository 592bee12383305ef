from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial")]

    operations = [migrations.AddField("driftcheck", "since", models.DateTimeField(null=True))]

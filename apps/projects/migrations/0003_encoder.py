from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_audit_lane_and_rate")]
    operations = [
        migrations.AddField(
            model_name="project",
            name="encoder",
            field=models.CharField(blank=True, max_length=80),
        ),
    ]

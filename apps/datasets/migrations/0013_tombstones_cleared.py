"""Vectors of a deleted example go by a job; of those deleted before they went with it."""

from django.db import migrations, models
from django.db.models import F


def all_cleared(apps, schema_editor):
    apps.get_model("datasets", "ExampleTombstone").objects.update(cleared_at=F("at"))


class Migration(migrations.Migration):
    dependencies = [("datasets", "0012_views_mean_labels")]
    operations = [
        migrations.AddField(
            model_name="exampletombstone", name="cleared_at", field=models.DateTimeField(null=True)
        ),
        migrations.RunPython(all_cleared, migrations.RunPython.noop),
    ]

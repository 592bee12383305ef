"""Labels get a description, a place among those offered, and remember the names that they had."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def place_as_they_stand(apps: Any, schema_editor: Any) -> None:
    apps.get_model("projects", "SchemaLabel").objects.update(place=F("position"))


class Migration(migrations.Migration):
    dependencies = [("projects", "0008_ties_of_pairs")]
    operations = [
        migrations.AddField("schemalabel", "place", models.PositiveIntegerField(default=0)),
        migrations.AddField("schemalabel", "description", models.CharField(blank=True, max_length=300)),
        migrations.AddField("schemalabel", "former_names", models.JSONField(blank=True, default=list)),
        migrations.RunPython(place_as_they_stand, migrations.RunPython.noop),
    ]

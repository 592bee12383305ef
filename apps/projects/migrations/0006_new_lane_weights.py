"""Projects that are there already get the new lanes at the weights that new ones have; their own weights stay."""

from django.db import migrations

ADDED = {"gold": 10, "relabel": 5, "review": 10, "drift": 10}


def add(apps, schema_editor):
    Project = apps.get_model("projects", "Project")
    for project in Project.objects.all():
        project.lane_weights = {**ADDED, **project.lane_weights}
        project.save(update_fields=["lane_weights"])


class Migration(migrations.Migration):
    dependencies = [("projects", "0005_desk_settings")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]

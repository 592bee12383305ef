"""Projects that are there already get the audit lane, at the weight that new ones have."""

from django.db import migrations


def add(apps, schema_editor):
    Project = apps.get_model("projects", "Project")
    for project in Project.objects.all():
        if "audit" not in project.lane_weights:
            project.lane_weights = {**project.lane_weights, "audit": 5}
            project.save(update_fields=["lane_weights"])


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_encoder")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]

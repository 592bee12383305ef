"""Projects of pairs can answer “Tie” and “Both bad” like new ones; what was answered stays as it is."""

from django.db import migrations
from django.db.models import Max

MORE = (("Tie", "T", "#7a7d85"), ("Both bad", "N", "#a33a2c"))


def add_ties(apps, schema_editor):
    project_of, label_of = apps.get_model("projects", "Project"), apps.get_model("projects", "SchemaLabel")
    for project in project_of.objects.filter(task_type="text-preference"):
        labels = label_of.objects.filter(project=project)
        taken = {name.casefold() for name in labels.values_list("name", flat=True)}
        keys = set(labels.values_list("hotkey", flat=True))
        last = labels.aggregate(last=Max("position"))["last"]
        for name, wanted, color in MORE:
            if name.casefold() in taken:
                continue
            last = 0 if last is None else last + 1
            free = next((k for k in (wanted, *"3456789") if k not in keys), "")
            label_of.objects.create(project=project, name=name, hotkey=free, color=color, position=last)
            keys.add(free)


class Migration(migrations.Migration):
    dependencies = [("projects", "0007_thin_project")]
    operations = [migrations.RunPython(add_ties, migrations.RunPython.noop)]

"""Views that were kept with a label's name mean that label from now on, whatever it is called."""

from django.db import migrations
from django.http import QueryDict


def names_to_labels(apps, schema_editor):
    views, labels = apps.get_model("datasets", "SavedView"), apps.get_model("projects", "SchemaLabel")
    for view in views.objects.filter(query__contains="label="):
        asked = QueryDict(view.query, mutable=True)
        name = asked.get("label", "")
        of_project = list(labels.objects.filter(project=view.project_id))
        now = [x for x in of_project if x.name == name] or [x for x in of_project if name in x.former_names]
        if now:
            del asked["label"]
            view.query, view.label = asked.urlencode(), now[0]
            view.save(update_fields=["query", "label"])


def labels_to_names(apps, schema_editor):
    for view in apps.get_model("datasets", "SavedView").objects.exclude(label=None).select_related("label"):
        asked = QueryDict(view.query, mutable=True)
        asked["label"] = view.label.name
        view.query = asked.urlencode()
        view.save(update_fields=["query"])


class Migration(migrations.Migration):
    dependencies = [("datasets", "0011_views_by_label")]
    operations = [migrations.RunPython(names_to_labels, labels_to_names)]

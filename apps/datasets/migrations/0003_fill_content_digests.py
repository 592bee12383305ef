"""Give every example that is there already its digest, a few thousand at a time."""

from django.db import migrations

from apps.datasets.content import content_digest

BATCH = 2000


def fill(apps, schema_editor):
    Example, Blob = apps.get_model("datasets", "Example"), apps.get_model("datasets", "ExampleBlob")
    last = 0
    while batch := list(Example.objects.filter(pk__gt=last, content_digest="").order_by("pk")[:BATCH]):
        blobs = dict(Blob.objects.filter(pk__in=[e.pk for e in batch]).values_list("pk", "content"))
        for example in batch:
            blob = blobs.get(example.pk)
            example.content_digest = content_digest(example.fields, bytes(blob) if blob is not None else None)
        Example.objects.bulk_update(batch, ["content_digest"], batch_size=BATCH)
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [("datasets", "0002_content_digest_and_shard_size")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

"""Shards move here from the app of data, and encoders become rows: those that come installed, and each that a run made."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

INSTALLED = (
    ("all-minilm-l6-v2", "MiniLM: sentence meaning, English", "text", 384),
    ("hashed-words-256", "Hashed words: shared words and spellings, any language, a hundred times as fast", "text", 256),
    ("thumbnail-16", "Thumbnail: 16 by 16 grey pixels", "image", 256),
    ("hashed-row-64", "Hashed row: numbers on a logarithmic scale and categories", "tabular", 64),
)


def fill(apps, schema_editor):
    Encoder, now = apps.get_model("features", "Encoder"), timezone.now()
    for name, title, payload, dim in INSTALLED:
        Encoder.objects.create(
            name=name, title=title, payload=payload, dim=dim, weights_in="package", state="ready", added_at=now
        )


def types_move(apps, schema_editor):
    """The type of the model stays the same row, or permissions that were given would be lost."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    ContentType.objects.filter(app_label="datasets", model="embeddingshard").update(app_label="features")


SHARD = migrations.CreateModel(
    name="EmbeddingShard",
    fields=[
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("encoder", models.CharField(max_length=80)),
        ("number", models.PositiveIntegerField()),
        ("url", models.CharField(max_length=400)),
        ("rows", models.PositiveIntegerField()),
        ("dim", models.PositiveIntegerField(default=0)),
        ("unusable", models.PositiveIntegerField(default=0)),
        ("size_bytes", models.BigIntegerField(default=0)),
        ("sha256", models.CharField(max_length=64)),
        ("created_at", models.DateTimeField()),
        ("project", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="shards", to="projects.project")),
    ],
    options={
        "ordering": ["number"],
        "constraints": [models.UniqueConstraint(fields=("project", "encoder", "number"), name="features_shard_once")],
    },
)
MOVE = """
    ALTER TABLE datasets_embeddingshard RENAME TO features_embeddingshard;
    ALTER TABLE features_embeddingshard RENAME CONSTRAINT datasets_shard_once TO features_shard_once;
"""
BACK = """
    ALTER TABLE features_embeddingshard RENAME CONSTRAINT features_shard_once TO datasets_shard_once;
    ALTER TABLE features_embeddingshard RENAME TO datasets_embeddingshard;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("datasets", "0007_shards_leave"),
        ("projects", "0006_new_lane_weights"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.SeparateDatabaseAndState([migrations.RunSQL(MOVE, BACK)], [SHARD]),
        migrations.RunPython(types_move, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Encoder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("title", models.CharField(max_length=120)),
                ("payload", models.CharField(max_length=10)),
                ("dim", models.PositiveIntegerField(default=0)),
                ("weights_in", models.CharField(choices=[("package", "An installed package"), ("run", "A fine-tune run"), ("folder", "A folder or a store")], max_length=8)),
                ("url", models.CharField(blank=True, max_length=400)),
                ("run_id", models.BigIntegerField(null=True, unique=True)),
                ("state", models.CharField(choices=[("checking", "Being checked"), ("ready", "Ready"), ("failed", "Cannot be loaded")], default="checking", max_length=8)),
                ("error", models.CharField(blank=True, max_length=400)),
                ("added_at", models.DateTimeField()),
                ("added_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

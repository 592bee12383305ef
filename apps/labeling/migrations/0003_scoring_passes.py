import django.db.models.deletion
from django.db import migrations, models

STATES = [
    ("open", "Scoring"),
    ("done", "Done"),
    ("superseded", "A newer one took over"),
    ("failed", "Failed"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0002_auto_labels_and_scored_frontier"),
        ("projects", "0003_encoder"),
    ]
    operations = [
        migrations.CreateModel(
            name="ScoringPass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.CharField(choices=STATES, default="open", max_length=10)),
                ("run_number", models.PositiveIntegerField(null=True)),
                ("strategy", models.CharField(max_length=40)),
                ("encoder", models.CharField(blank=True, max_length=80)),
                ("seed", models.PositiveIntegerField(default=0)),
                ("newest_example", models.BigIntegerField(default=0)),
                ("sentence", models.CharField(blank=True, max_length=300)),
                ("seconds", models.JSONField(default=dict)),
                ("requested_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scoring_passes",
                        to="projects.project",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["project", "requested_at"],
                        name="labeling_scoring_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ScoringPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("shards", models.JSONField(default=list)),
                ("first_id", models.BigIntegerField(default=0)),
                ("last_id", models.BigIntegerField(default=0)),
                ("url", models.CharField(blank=True, max_length=400)),
                ("scored", models.PositiveIntegerField(default=0)),
                ("unusable", models.PositiveIntegerField(default=0)),
                ("seconds", models.FloatField(default=0)),
                ("sent_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "scoring",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="labeling.scoringpass",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("scoring", "number"), name="labeling_scoring_part_once")
                ],
            },
        ),
    ]

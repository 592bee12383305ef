"""How a queue runs gets a table of its own; what each project had stays as it is."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import apps.labeling.models.settings

COLUMNS = (
    "strategy", "encoder", "overlap", "lane_weights", "lane_overlap", "consensus", "review_at_most", "blind_share",
    "planted_share", "gold_failures", "gold_feedback", "hourly_rate", "currency",
)


def fill(apps, schema_editor):
    Project, QueueSettings = apps.get_model("projects", "Project"), apps.get_model("labeling", "QueueSettings")
    rows = Project.objects.values("pk", *COLUMNS).order_by("pk")
    QueueSettings.objects.bulk_create([QueueSettings(project_id=row.pop("pk"), **row) for row in rows])


def give_back(apps, schema_editor):
    Project, QueueSettings = apps.get_model("projects", "Project"), apps.get_model("labeling", "QueueSettings")
    for kept in QueueSettings.objects.values("project_id", *COLUMNS):
        Project.objects.filter(pk=kept.pop("project_id")).update(**kept)


class Migration(migrations.Migration):
    dependencies = [("labeling", "0004_kinds_of_answers_and_quality"), ("projects", "0006_new_lane_weights")]
    operations = [
        migrations.CreateModel(
            name="QueueSettings",
            fields=[
                ("project", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="queue", serialize=False, to="projects.project")),
                ("strategy", models.CharField(default=apps.labeling.models.settings.default_strategy, max_length=40)),
                ("encoder", models.CharField(blank=True, max_length=80)),
                ("overlap", models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(5)])),
                ("lane_weights", models.JSONField(default=apps.labeling.models.settings.lane_weights)),
                ("lane_overlap", models.JSONField(blank=True, default=dict)),
                ("consensus", models.CharField(choices=[("majority", "Majority"), ("dawid-skene", "Dawid-Skene"), ("best", "Whichever is right more often on gold")], default="majority", max_length=12)),
                ("review_at_most", models.FloatField(default=0.5, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(0.99)])),
                ("blind_share", models.FloatField(default=0.1, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)])),
                ("planted_share", models.FloatField(default=0.1, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)])),
                ("gold_failures", models.PositiveSmallIntegerField(default=3)),
                ("gold_feedback", models.BooleanField(default=True)),
                ("hourly_rate", models.DecimalField(blank=True, decimal_places=2, max_digits=8, null=True)),
                ("currency", models.CharField(default="EUR", max_length=3)),
            ],
        ),
        migrations.RunPython(fill, give_back),
    ]

"""Each encoder that a run fine-tuned becomes a row; until now its name alone told of the run."""

from django.db import migrations

TUNED_FROM, DIM = "all-minilm-l6-v2", 384


def fill(apps, schema_editor):
    Run, Encoder = apps.get_model("training", "Run"), apps.get_model("features", "Encoder")
    made = Run.objects.filter(kind="fine-tune", state="completed", reproduces=None).exclude(artifact_url="")
    Encoder.objects.bulk_create(
        [
            Encoder(
                name=f"{TUNED_FROM}+run-{run.pk}",
                title=f"Fine-tuned by run {run.number} of {run.project.name}"[:120],
                payload="text",
                dim=DIM,
                weights_in="run",
                url=run.artifact_url,
                run_id=run.pk,
                state="ready",
                added_at=run.finished_at or run.queued_at,
            )
            for run in made.select_related("project").order_by("pk")
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("training", "0003_kinds_policies_sweeps"), ("features", "0001_encoders_and_shards")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

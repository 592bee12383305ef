"""What a run's worker says while it owns the run: what it trains on, reports, notices, checkpoints, measurements."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from apps.datasets.models import DatasetVersion
from apps.live.publish import send_now
from apps.live.topics import News, Topic
from apps.rules.training_report import TrainingReport
from apps.training.models import Run, RunLine, RunPoint, RunState
from apps.training.services.ownership import RunLost, run_owned, tell

# Columns of RunPoint that a report fills, beside its step.
ON_THE_CURVE = (
    "epoch",
    "train_loss",
    "validation_loss",
    "holdout_loss",
    "holdout_accuracy",
    "learning_rate",
    "samples_per_s",
    "device_percent",
    "memory_mb",
)


@transaction.atomic
def run_prepared(
    *,
    run_id: int,
    owner: uuid.UUID,
    version: DatasetVersion,
    recipe: dict[str, Any],
    label_names: list[str],
    labels: int,
    new_labels: int,
    device: str,
    at: datetime,
    devices: int = 1,
    packages: dict[str, str] | None = None,
) -> None:
    """Bind the run to its data version, recipe, code and packages before the first step."""
    run = run_owned(run_id, owner)
    run.devices, run.packages, run.code_version = devices, packages or {}, settings.CODE_VERSION
    run.dataset_version, run.recipe, run.label_names = version, recipe, label_names
    run.labels, run.new_labels, run.device, run.phase = labels, new_labels, device, "training"
    run.save(
        update_fields=[
            "dataset_version",
            "recipe",
            "label_names",
            "labels",
            "new_labels",
            "device",
            "phase",
            "devices",
            "packages",
            "code_version",
        ]
    )
    RunLine.objects.create(
        run=run,
        at=at,
        text=f"data v{version.number}: {labels} labels, {new_labels} new; {len(label_names)} classes; {device}",
    )
    tell(run)


@transaction.atomic
def run_report(*, run_id: int, owner: uuid.UUID, report: TrainingReport, at: datetime) -> None:
    run = run_owned(run_id, owner)
    run.step, run.steps_total = report.step, report.steps_total
    run.seconds_left, run.samples_per_s = report.seconds_left, report.samples_per_s
    run.device = run.device or report.device
    run.save(update_fields=["step", "steps_total", "seconds_left", "samples_per_s", "device"])
    curve = {name: getattr(report, name) for name in ON_THE_CURVE}
    RunPoint.objects.update_or_create(run=run, step=report.step, defaults={**curve, "at": at})
    RunLine.objects.create(run=run, at=at, text=report.line[:400])
    tell(run)


def run_phase(*, run_id: int, owner: uuid.UUID, phase: str, at: datetime) -> None:
    """A line and a word for what happens between training and the verdict."""
    _write(run_id, owner, phase=phase[:80])
    RunLine.objects.create(run_id=run_id, at=at, text=phase[:400])
    send_now(Topic.RUN.of(run_id), News.RUN, run_id)


def run_noted(*, run_id: int, owner: uuid.UUID, text: str, at: datetime) -> None:
    """A line for what the worker did about a trouble; the run goes on as before."""
    if not Run.objects.filter(pk=run_id, owner=owner, state=RunState.RUNNING).exists():
        raise RunLost(gettext("The run was taken over or ended."))
    RunLine.objects.create(run_id=run_id, at=at, text=text[:400])


@transaction.atomic
def run_checkpointed(*, run_id: int, owner: uuid.UUID, url: str, step: int, size_bytes: int, at: datetime) -> str:
    """The newest checkpoint takes the place of the one before, which is kept too. Returns what is no longer needed."""
    run = run_owned(run_id, owner)
    unneeded, run.earlier_checkpoint_url, run.checkpoint_url = run.earlier_checkpoint_url, run.checkpoint_url, url
    run.save(update_fields=["checkpoint_url", "earlier_checkpoint_url"])
    RunLine.objects.create(run_id=run_id, at=at, text=f"checkpoint at step {step} written, {size_bytes / 1e6:.1f} MB")
    return unneeded


def run_measured(*, run_id: int, owner: uuid.UUID, measured: dict[str, Any]) -> None:
    """What the run did with its device, once it is over."""
    _write(run_id, owner, measured=measured)


@transaction.atomic
def run_checkpoints_dropped(*, run_id: int) -> list[str]:
    """Forget the checkpoints of a run that has completed; returns the files that nothing names any more."""
    run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.state != RunState.COMPLETED:
        return []
    urls = [url for url in (run.checkpoint_url, run.earlier_checkpoint_url) if url]
    run.checkpoint_url = run.earlier_checkpoint_url = ""
    run.save(update_fields=["checkpoint_url", "earlier_checkpoint_url"])
    return urls


def _write(run_id: int, owner: uuid.UUID, **columns: Any) -> None:
    """Without reading the row first."""
    if not Run.objects.filter(pk=run_id, owner=owner, state=RunState.RUNNING).update(**columns):
        raise RunLost(gettext("The run was taken over or ended."))

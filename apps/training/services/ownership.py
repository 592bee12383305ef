"""A run as its worker drives it: claim, heartbeat, report, close. Every write checks that the worker still owns the run.

Redis delivers a job again after the visibility timeout while the first worker may still train, and a worker may be
killed without a word. The owner token on the row decides: whoever holds it writes, everybody else is told RunLost.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext

from apps.audit.services import event_record, project_scope
from apps.datasets.models import DatasetVersion
from apps.errors import DomainError
from apps.live.publish import look_again, send_now
from apps.training.models import MOVES, Run, RunLine, RunPoint, RunState
from apps.training.services.turns import turn_take, turn_tell

LEASE = timedelta(seconds=15)  # four heartbeats; a dead worker's run goes on elsewhere within 20 s
HEARTBEAT_S = 3.0
MOST_ATTEMPTS = 4  # a run that kills its worker four times will kill the fifth


class RunLost(DomainError):
    """Another worker owns the run, or it has ended: stop and write nothing more."""

    code = "run_lost"


@dataclass(frozen=True)
class Progress:
    """One report. Losses in nats, accuracy a share, seconds_left None while it would be a guess."""

    step: int
    steps_total: int
    epoch: float
    train_loss: float
    validation_loss: float | None
    holdout_loss: float | None
    holdout_accuracy: float | None
    samples_per_s: float
    seconds_left: float | None
    device: str
    line: str
    learning_rate: float | None = None
    device_percent: float | None = None
    memory_mb: float | None = None


@transaction.atomic
def run_claim(*, run_id: int, at: datetime) -> Run:
    """Take the run whose turn it is, or this one where its worker is dead. Raises RunLost when there is nothing to take.

    A message names a run, but it only wakes the worker: of all queued runs the one with the best priority and the longest
    wait is taken, if its project has a free place.
    """
    queued = Run.objects.only("state").get(pk=run_id).state == RunState.QUEUED  # no lock yet: the project's comes first
    run = turn_take() if queued else _abandoned(run_id, at)
    if run is None:
        raise RunLost(gettext("Every queued run waits for a place."))
    if run.cancel_requested_at:
        _move(run, RunState.CANCELED, at)
        return run
    if run.attempts >= MOST_ATTEMPTS:
        run.error = f"The worker died {run.attempts} times while training this run; it was given up."
        _move(run, RunState.FAILED, at)
        return run
    run.attempts += 1
    run.owner, run.leased_until = uuid.uuid4(), at + LEASE
    run.started_at = run.started_at or at
    run.phase = "reading labels" if run.attempts == 1 else f"resuming, attempt {run.attempts}"
    if run.state == RunState.QUEUED:
        _move(run, RunState.RUNNING, at)
    else:
        run.save()
    RunLine.objects.create(run=run, at=at, text=f"attempt {run.attempts} on {run.device or 'a worker'}: {run.phase}")
    tell(run)
    return run


def _abandoned(run_id: int, at: datetime) -> Run:
    """A run under a lease that ended."""
    run = Run.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=run_id)
    if run.state != RunState.RUNNING or (run.leased_until is not None and run.leased_until >= at):
        raise RunLost(
            gettext("Run {number} is {state_display} under another worker.").format(
                number=run.number, state_display=run.get_state_display().lower()
            )
        )
    return run


def run_heartbeat(*, run_id: int, owner: uuid.UUID, at: datetime) -> bool:
    """Renew the lease and count the time since the last; returns whether somebody asked to cancel. Raises RunLost.

    Time is counted at each beat, so that an attempt whose worker died has cost what it cost.
    """
    owned = Run.objects.filter(pk=run_id, owner=owner, state=RunState.RUNNING)
    run = owned.only("leased_until", "devices").first()
    if run is None or not owned.update(leased_until=at + LEASE, device_s=F("device_s") + _held_s(run, at)):
        raise RunLost(gettext("The run was taken over or ended."))
    return Run.objects.filter(pk=run_id, cancel_requested_at__isnull=False).exists()


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
    run = _owned(run_id, owner)
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
def run_report(*, run_id: int, owner: uuid.UUID, progress: Progress, at: datetime) -> None:
    run = _owned(run_id, owner)
    run.step, run.steps_total = progress.step, progress.steps_total
    run.seconds_left, run.samples_per_s = progress.seconds_left, progress.samples_per_s
    run.device = run.device or progress.device
    run.save(update_fields=["step", "steps_total", "seconds_left", "samples_per_s", "device"])
    RunPoint.objects.update_or_create(
        run=run,
        step=progress.step,
        defaults={
            "epoch": progress.epoch,
            "train_loss": progress.train_loss,
            "validation_loss": progress.validation_loss,
            "holdout_loss": progress.holdout_loss,
            "holdout_accuracy": progress.holdout_accuracy,
            "learning_rate": progress.learning_rate,
            "samples_per_s": progress.samples_per_s,
            "device_percent": progress.device_percent,
            "memory_mb": progress.memory_mb,
            "at": at,
        },
    )
    RunLine.objects.create(run=run, at=at, text=progress.line[:400])
    tell(run)


def run_phase(*, run_id: int, owner: uuid.UUID, phase: str, at: datetime) -> None:
    """A line and a word for what happens between training and the verdict."""
    if not Run.objects.filter(pk=run_id, owner=owner, state=RunState.RUNNING).update(phase=phase[:80]):
        raise RunLost(gettext("The run was taken over or ended."))
    RunLine.objects.create(run_id=run_id, at=at, text=phase[:400])
    send_now(f"run.{run_id}", "run", run_id)


def run_noted(*, run_id: int, owner: uuid.UUID, text: str, at: datetime) -> None:
    """A line for what the worker did about a trouble; the run goes on as before."""
    if not Run.objects.filter(pk=run_id, owner=owner, state=RunState.RUNNING).exists():
        raise RunLost(gettext("The run was taken over or ended."))
    RunLine.objects.create(run_id=run_id, at=at, text=text[:400])


@transaction.atomic
def run_checkpointed(*, run_id: int, owner: uuid.UUID, url: str, step: int, size_bytes: int, at: datetime) -> str:
    """The newest checkpoint takes the place of the one before, which is kept too. Returns what is no longer needed."""
    run = _owned(run_id, owner)
    unneeded, run.earlier_checkpoint_url, run.checkpoint_url = run.earlier_checkpoint_url, run.checkpoint_url, url
    run.save(update_fields=["checkpoint_url", "earlier_checkpoint_url"])
    RunLine.objects.create(run_id=run_id, at=at, text=f"checkpoint at step {step} written, {size_bytes / 1e6:.1f} MB")
    return unneeded


def run_measured(*, run_id: int, owner: uuid.UUID, measured: dict[str, Any]) -> None:
    """What the run did with its device, once it is over."""
    if not Run.objects.filter(pk=run_id, owner=owner, state=RunState.RUNNING).update(measured=measured):
        raise RunLost(gettext("The run was taken over or ended."))


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


@transaction.atomic
def run_complete(*, run_id: int, owner: uuid.UUID, artifact_url: str, at: datetime, weights_digest: str = "") -> Run:
    """`weights_digest` is the SHA-256 of the model file: two runs that agree in it are one model."""
    run = _owned(run_id, owner)
    run.artifact_url, run.weights_digest, run.phase, run.seconds_left = artifact_url, weights_digest, "", 0
    run.step = run.steps_total = max(run.step, 1)
    _move(run, RunState.COMPLETED, at)
    return run


@transaction.atomic
def run_fail(*, run_id: int, owner: uuid.UUID, sentence: str, traceback: str = "", at: datetime) -> Run:
    """Bad data ends with a sentence alone; a bug also keeps its traceback for engineers."""
    run = _owned(run_id, owner)
    run.error, run.traceback, run.phase = sentence[:400], traceback, ""
    RunLine.objects.create(run=run, at=at, text=f"failed: {sentence}"[:400])
    _move(run, RunState.FAILED, at)
    return run


@transaction.atomic
def run_canceled(*, run_id: int, owner: uuid.UUID, at: datetime) -> Run:
    run = _owned(run_id, owner)
    run.phase = ""
    RunLine.objects.create(run=run, at=at, text="canceled")
    _move(run, RunState.CANCELED, at)
    return run


def _owned(run_id: int, owner: uuid.UUID) -> Run:
    run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.owner != owner or run.state != RunState.RUNNING:
        raise RunLost(gettext("Run {number} was taken over or ended.").format(number=run.number))
    return run


def _held_s(run: Run, at: datetime) -> float:
    """Seconds of all its devices since the last heartbeat, or since the claim."""
    since = (run.leased_until - LEASE) if run.leased_until else at
    return max(0.0, (at - since).total_seconds()) * run.devices


def _move(run: Run, state: RunState, at: datetime) -> None:
    before = RunState(run.state)
    if state not in MOVES[before]:
        raise DomainError(
            gettext("Run {number} cannot go from {before} to {state}.").format(
                number=run.number, before=before, state=state
            )
        )
    run.state = state
    if state in (RunState.COMPLETED, RunState.FAILED, RunState.CANCELED):
        if run.leased_until and run.leased_until > at:  # a worker ends it; of a dead one nobody knows how long it lived
            run.device_s += _held_s(run, at)
        run.finished_at, run.leased_until = at, None
        transaction.on_commit(lambda: turn_tell(at=at))
    run.save()
    event_record(
        scope=project_scope(run.project_id),
        verb=f"run.{state}",
        subject=f"run {run.number}",
        by=None,
        at=at,
        sentence=f"Run {run.number} {_WORDS[state]}" + (f": {run.error}" if state == RunState.FAILED else "."),
        before={"state": before},
        after={"state": state},
    )
    tell(run)


_WORDS = {
    RunState.RUNNING: "started training",
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.CANCELED: "was canceled",
}


def tell(run: Run) -> None:
    look_again(f"run.{run.pk}", "run", run.pk)
    look_again(f"project.{run.project_id}", "run", run.pk)

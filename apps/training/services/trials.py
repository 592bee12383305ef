"""A trial as its worker drives it, each write under an owner token; and the end of a sweep, which starts its best recipe."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext

from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.models import DatasetVersion
from apps.errors import DomainError
from apps.rules.sentences import sentence
from apps.training.models import Run, RunKind, RunTrigger, Sweep, SweepState, Trial, TrialState
from apps.training.services.runs import RunOpen, run_start
from apps.training.services.sweeps import OPEN, sweep_tell
from apps.work.leases import Lease, LeaseLost


class TrialLost(LeaseLost):
    """Another worker has the trial, or it has ended."""

    code = "trial_lost"


# A recipe that kills its worker three times is too large for it.
LEASE = Lease(timedelta(seconds=15), TrialLost, renewed_every_s=3.0, most_attempts=3)


@transaction.atomic
def trial_claim(*, trial_id: int, at: datetime) -> Trial:
    """Take a trial that waits, or one whose worker is dead; failed where it has killed too many.

    Raises TrialLost when there is nothing to take.
    """
    sweep = Sweep.objects.select_for_update(of=("self",), no_key=True).get(trials=trial_id)
    trial = Trial.objects.select_for_update(of=("self",), no_key=True).select_related("sweep__project").get(pk=trial_id)
    dead = trial.state == TrialState.RUNNING and not trial.is_held(at)
    if sweep.state != SweepState.RUNNING or (trial.state != TrialState.QUEUED and not dead):
        raise TrialLost(
            gettext("Trial {number} is {state} already.").format(
                number=trial.number, state=trial.get_state_display().lower()
            )
        )
    if LEASE.spent(trial):
        trial.state, trial.finished_at, trial.owner, trial.leased_until = TrialState.FAILED, at, None, None
        trial.error = f"The worker died {trial.attempts} times while training this recipe; it was given up."
        trial.save()
        sweep_tell(sweep)
        return trial
    if trial.leased_until is not None and trial.started_at is not None:  # what the dead worker used up counts as well
        trial.seconds += max((trial.leased_until - LEASE.length - trial.started_at).total_seconds(), 0.0)
    LEASE.take(trial, at)
    trial.state, trial.started_at, trial.curve = TrialState.RUNNING, at, []
    trial.save()
    sweep_tell(sweep)
    return trial


def trial_heartbeat(*, trial_id: int, owner: uuid.UUID, at: datetime) -> bool:
    """Renew the lease; returns whether somebody canceled the sweep. Raises TrialLost."""
    rows = Trial.objects.filter(pk=trial_id, state=TrialState.RUNNING)
    LEASE.renew(rows, owner, at, gettext("The trial was taken over or ended."))
    return rows.filter(sweep__state=SweepState.CANCELED).exists()


@transaction.atomic
def sweep_version(*, sweep_id: int, version: DatasetVersion) -> DatasetVersion:
    """Bind the sweep to the labels that its first trial read; all others read the same."""
    sweep = (
        Sweep.objects.select_for_update(of=("self",), no_key=True).select_related("dataset_version").get(pk=sweep_id)
    )
    if sweep.dataset_version is not None:
        return sweep.dataset_version
    sweep.dataset_version = version
    sweep.save(update_fields=["dataset_version"])
    return version


@transaction.atomic
def trial_asked(
    *, trial_id: int, owner: uuid.UUID, settings: Mapping[str, float | int], device: str, at: datetime
) -> Trial:
    """What the study suggests; a trial that is tried again keeps what it was given first."""
    trial = _owned(trial_id, owner)
    trial.settings, trial.device = dict(settings), device[:80]
    trial.save(update_fields=["settings", "device"])
    sweep_tell(trial.sweep)
    return trial


@transaction.atomic
def trial_epoch(*, trial_id: int, owner: uuid.UUID, epoch: int, loss: float, accuracy: float, at: datetime) -> None:
    trial = _owned(trial_id, owner)
    trial.curve = [*trial.curve, [epoch, round(loss, 5)]]
    if trial.value is None or loss < trial.value or len(trial.curve) == 1:
        trial.value, trial.accuracy = loss, accuracy
    trial.save(update_fields=["curve", "value", "accuracy"])
    sweep_tell(trial.sweep)


@transaction.atomic
def trial_end(
    *,
    trial_id: int,
    owner: uuid.UUID,
    state: TrialState,
    at: datetime,
    error: str = "",
    best: tuple[int, float, float] | None = None,
) -> Trial:
    """Completed, pruned, failed with a sentence, or canceled; its seconds count whatever it came to.

    `best` is epoch, loss and accuracy of the best epoch, which need not be one that was told.
    """
    trial = _owned(trial_id, owner)
    if best is not None:
        epoch, trial.value, trial.accuracy = best
        trial.curve = sorted({*map(tuple, trial.curve), (epoch, round(trial.value, 5))})
    trial.state, trial.finished_at, trial.error = state, at, error[:400]
    trial.owner = trial.leased_until = None
    if trial.started_at is not None:
        trial.seconds += max((at - trial.started_at).total_seconds(), 0.0)
    trial.save()
    sweep_tell(trial.sweep)
    return trial


def sweep_is_tried(sweep: Sweep) -> bool:
    """Whether no trial is open any more and nobody has closed the sweep yet."""
    return (
        Sweep.objects.filter(pk=sweep.pk, state=SweepState.RUNNING).exists()
        and not sweep.trials.filter(state__in=OPEN).exists()
    )


@transaction.atomic
def sweep_close(*, sweep_id: int, importance: Mapping[str, float], at: datetime) -> Sweep:
    """Start a run of the best recipe, once, whoever comes last. While another sweep's run is open it stays to be closed."""
    sweep = Sweep.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=sweep_id)
    if not sweep_is_tried(sweep):
        return sweep
    best = best_trial(sweep)
    if best is None:
        reason = sweep.trials.exclude(error="").values_list("error", flat=True).first()
        sweep.error = f"No trial came to its end. {reason or ''}".strip()[:400]
        return _ended(sweep, SweepState.FAILED, at)
    try:
        with transaction.atomic():
            sweep.run = _run_of(sweep, best, at)
    except RunOpen:
        return sweep  # closed at a later look
    except DomainError as refused:
        sweep.error = refused.message[:400]
        return _ended(sweep, SweepState.FAILED, at)
    sweep.importance = {name: round(share, 4) for name, share in importance.items()}
    return _ended(sweep, SweepState.COMPLETED, at)


def best_trial(sweep: Sweep) -> Trial | None:
    """Of those that came to their end; a pruned one was stopped because it was no better."""
    return sweep.trials.filter(state=TrialState.COMPLETED, value__isnull=False).order_by("value", "number").first()


def _run_of(sweep: Sweep, best: Trial, at: datetime) -> Run:
    run = run_start(
        project=sweep.project,
        kind=RunKind.SWEEP,
        base_run=None,
        by=sweep.started_by,
        at=at,
        seed=sweep.seed,
        trigger=sentence(
            "Trial {trial} of sweep {sweep} had the least validation loss, {loss:.4f}.",
            trial=best.number,
            sweep=sweep.number,
            loss=best.value,
        ),
        trigger_type=RunTrigger.SWEEP,
        recipe=dict(best.settings),
        dataset_version=sweep.dataset_version,
    )
    run.device_s = sweep.trials.aggregate(s=Sum("seconds"))["s"] or 0.0
    run.save(update_fields=["device_s"])
    return run


def _came(sweep: Sweep, state: SweepState) -> str:
    if state == SweepState.COMPLETED and sweep.run:
        return sentence(
            "Sweep {number} completed; run {run} trains its best recipe.", number=sweep.number, run=sweep.run.number
        )
    return sentence("Sweep {number} failed: {error}", number=sweep.number, error=sweep.error)


def _ended(sweep: Sweep, state: SweepState, at: datetime) -> Sweep:
    sweep.state, sweep.finished_at = state, at
    sweep.save(update_fields=["state", "finished_at", "error", "importance", "run"])
    event_record(
        project_id=sweep.project_id,
        verb=Verb(f"sweep.{state}"),
        subject=f"sweep {sweep.number}",
        by=None,
        at=at,
        sentence=_came(sweep, state),
        after={"state": state},
    )
    sweep_tell(sweep)
    return sweep


def _owned(trial_id: int, owner: uuid.UUID) -> Trial:
    rows = Trial.objects.filter(pk=trial_id, state=TrialState.RUNNING).select_related("sweep")
    return LEASE.owned(rows, owner, gettext("The trial was taken over or ended."))

"""A run as its worker owns it: claim, heartbeat, end. What it says meanwhile is in `reporting`."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext

from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError
from apps.features.services import encoder_made
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.rules.encoders import TUNED_DIM
from apps.rules.sentences import sentence
from apps.training.models import MOVES, Run, RunKind, RunLine, RunState
from apps.training.services.turns import turn_take, turn_tell
from apps.work.leases import Lease, LeaseLost


class RunLost(LeaseLost):
    """Another worker owns the run, or it has ended."""

    code = "run_lost"


# Four heartbeats: a dead worker's run goes on elsewhere within 20 s. What kills four workers will kill the fifth.
LEASE = Lease(timedelta(seconds=15), RunLost, renewed_every_s=3.0, most_attempts=4)


@transaction.atomic
def run_claim(*, run_id: int, at: datetime) -> Run:
    """Take the run whose turn it is, or this one where its worker is dead. Raises RunLost when there is nothing to take.

    A message names a run, but it only wakes the worker: of all queued runs the one with the best priority and the longest
    wait is taken, if its project has a free place. That holds too where another worker took the named run meanwhile: its
    own message named one that still waits, and nobody else will wake for that.
    """
    named = Run.objects.only("number", "state", "leased_until").get(pk=run_id)  # no lock yet: the project's comes first
    dead = named.state == RunState.RUNNING and not named.is_held(at)
    run = _abandoned(run_id, at) if dead else turn_take()
    if run is None:
        raise RunLost(
            gettext("Every queued run waits for a place.") if named.state == RunState.QUEUED else _taken(named)
        )
    if run.cancel_requested_at:
        _move(run, RunState.CANCELED, at)
        return run
    if LEASE.spent(run):
        run.error = f"The worker died {run.attempts} times while training this run; it was given up."
        _move(run, RunState.FAILED, at)
        return run
    LEASE.take(run, at)
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
    if run.state != RunState.RUNNING or run.is_held(at):
        raise RunLost(_taken(run))
    return run


def _taken(run: Run) -> str:
    return gettext("Run {number} is {state_display} under another worker.").format(
        number=run.number, state_display=run.get_state_display().lower()
    )


def run_heartbeat(*, run_id: int, owner: uuid.UUID, at: datetime) -> bool:
    """Renew the lease and count the time since the last; returns whether somebody asked to cancel. Raises RunLost.

    Time is counted at each beat, so that an attempt whose worker died has cost what it cost.
    """
    rows = Run.objects.filter(pk=run_id, state=RunState.RUNNING)
    run = rows.only("leased_until", "devices").filter(owner=owner).first()
    used_s = _held_s(run, at) if run else 0.0
    LEASE.renew(rows, owner, at, gettext("The run was taken over or ended."), device_s=F("device_s") + used_s)
    return Run.objects.filter(pk=run_id, cancel_requested_at__isnull=False).exists()


@transaction.atomic
def run_complete(*, run_id: int, owner: uuid.UUID, artifact_url: str, at: datetime, weights_digest: str = "") -> Run:
    """`weights_digest` is the SHA-256 of the model file: two runs that agree in it are one model."""
    run = run_owned(run_id, owner)
    run.artifact_url, run.weights_digest, run.phase, run.seconds_left = artifact_url, weights_digest, "", 0
    run.step = run.steps_total = max(run.step, 1)
    _move(run, RunState.COMPLETED, at)
    if run.kind == RunKind.FINE_TUNE and not run.reproduces_id:
        title = f"Fine-tuned by run {run.number} of {run.project.name}"
        name, dim = str(run.recipe["encoder"]), TUNED_DIM
        encoder_made(name=name, title=title, dim=dim, url=artifact_url, run_id=run.pk, at=at)
    return run


@transaction.atomic
def run_fail(*, run_id: int, owner: uuid.UUID, sentence: str, traceback: str = "", at: datetime) -> Run:
    """Bad data ends with a sentence alone; a bug also keeps its traceback for engineers."""
    run = run_owned(run_id, owner)
    run.error, run.traceback, run.phase = sentence[:400], traceback, ""
    RunLine.objects.create(run=run, at=at, text=f"failed: {sentence}"[:400])
    _move(run, RunState.FAILED, at)
    return run


@transaction.atomic
def run_canceled(*, run_id: int, owner: uuid.UUID, at: datetime) -> Run:
    run = run_owned(run_id, owner)
    run.phase = ""
    RunLine.objects.create(run=run, at=at, text="canceled")
    _move(run, RunState.CANCELED, at)
    return run


def run_owned(run_id: int, owner: uuid.UUID) -> Run:
    """The run, locked for its worker. Raises RunLost."""
    rows = Run.objects.filter(pk=run_id, state=RunState.RUNNING)
    return LEASE.owned(rows, owner, gettext("The run was taken over or ended."))


def _held_s(run: Run, at: datetime) -> float:
    """Seconds of all its devices since the last heartbeat, or since the claim."""
    since = (run.leased_until - LEASE.length) if run.leased_until else at
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
        project_id=run.project_id,
        verb=Verb(f"run.{state}"),
        subject=f"run {run.number}",
        by=None,
        at=at,
        sentence=_moved(run, state),
        before={"state": before},
        after={"state": state},
    )
    tell(run)


def _moved(run: Run, state: RunState) -> str:
    if state == RunState.FAILED:
        return sentence("Run {number} failed: {error}", number=run.number, error=run.error)
    return {
        RunState.RUNNING: sentence("Run {number} started training.", number=run.number),
        RunState.COMPLETED: sentence("Run {number} completed.", number=run.number),
        RunState.CANCELED: sentence("Run {number} was canceled.", number=run.number),
    }[state]


def tell(run: Run) -> None:
    look_again(Topic.RUN.of(run.pk), News.RUN, run.pk)
    look_again(Topic.PROJECT.of(run.project_id), News.RUN, run.pk)

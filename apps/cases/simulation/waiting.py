"""Wait for what the workers do: any step, or the order of the queue as people would find it."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from apps.cases.simulation.attendance import attendance
from apps.datasets.models import Example
from apps.evaluation.models import Outcome
from apps.features.models import EmbeddingShard
from apps.labeling.encoders import encoder_of
from apps.labeling.models import Frontier, ScoringPass, ScoringState
from apps.projects.models import Project
from apps.releases.models import ModelVersion

LOOK_EVERY_S = 0.03
PATIENCE_S = 1800.0
COLD_WITHIN_S = 600.0  # embedding 10,000 texts takes two minutes on two cores; then people begin without an order
SAID_AFTER_S = 5.0  # then after twice as long each time
ATTENDANCE_EVERY_S = 5.0
UNDER_WAY = timedelta(seconds=5)  # a new model's scoring is skipped where the same one was under way; it ends soon


class SimulationStopped(RuntimeError):
    """A stage did not come to its end; the message says which and why."""


class Wait:
    """One wait: says what for when it gets long, and ends where that cannot come."""

    def __init__(self, what: Callable[[], str]) -> None:
        self._what, self._began = what, time.monotonic()
        self._say_at, self._attended_at = SAID_AFTER_S, ATTENDANCE_EVERY_S

    def look(self, *, attended: bool = True) -> None:
        """Between two looks at what is waited for. Raises SimulationStopped where nobody is there to bring it."""
        waited = time.monotonic() - self._began
        if waited >= self._say_at:
            print(f"Waiting for {self._what()}, {waited:.0f} s so far.", file=sys.stderr, flush=True)
            self._say_at *= 2
        if waited >= self._attended_at:
            self._attended_at = waited + ATTENDANCE_EVERY_S
            why = attendance.why_in_vain() if attended else attendance.started_in_vain()
            if why:
                raise SimulationStopped(f"Gave up waiting for {self._what()}: {why}")


def until(look: Callable[[], Any], what: str, *, within_s: float | None = None) -> Any:
    """What `look` finds. Raises SimulationStopped when that cannot come, or takes longer than PATIENCE_S."""
    patience = within_s or PATIENCE_S
    found = _looked(look, what, patience)
    if not found:
        raise SimulationStopped(f"Waited {patience / 60:.0f} min for {what}. The workers’ lines say why.")
    return found


def wait_for_order(project: Project) -> None:
    """Until the active lane is ordered by what the newest model that did not fail, or the vectors alone, say of it.

    The newest model may be too young to be asked: then its scoring, too, ends in a cold order. Without a model people
    begin after COLD_WITHIN_S, ordered or not.
    """
    newest = ModelVersion.objects.filter(project=project).exclude(report__outcome=Outcome.FAIL).first()
    if newest is None:
        _looked(lambda: ordered_cold(project), "the vectors and the first order of the pool", COLD_WITHIN_S)
    else:
        until(lambda: ordered_after(project, newest), "scoring the pool")


def ordered_after(project: Project, newest: ModelVersion) -> bool:
    """Whether a scoring has ended that knew of this model. Raises SimulationStopped where it failed."""
    if Frontier.objects.filter(project=project, run_number__gte=newest.run.number).exists():
        return True
    passes = ScoringPass.objects.filter(project=project)
    known = passes.filter(requested_at__gte=newest.created_at)
    failed = known.filter(state=ScoringState.FAILED).first()
    if failed and failed == passes.first():
        raise SimulationStopped(f"Scoring the pool failed: {failed.sentence}")
    if known.filter(state=ScoringState.DONE).exists():
        return True
    settled = timezone.now() - newest.created_at > UNDER_WAY and not passes.filter(state=ScoringState.OPEN).exists()
    return settled and passes.filter(state=ScoringState.DONE, finished_at__gte=newest.created_at).exists()


def ordered_cold(project: Project) -> bool:
    """Whether every example has its vector and a scoring of all of them has ended, well or not."""
    shards = EmbeddingShard.objects.filter(project=project, encoder=encoder_of(project)).order_by("-created_at")
    rows = shards.aggregate(n=Sum("rows"))["n"] or 0
    newest = shards.first()
    if newest is None or rows < Example.objects.filter(project=project).count():
        return False
    passes = ScoringPass.objects.filter(project=project)
    under_way = passes.filter(state=ScoringState.OPEN).exists()
    return not under_way and passes.filter(finished_at__gte=newest.created_at).exists()


def _looked(look: Callable[[], Any], what: str, within_s: float) -> Any:
    deadline, wait = time.monotonic() + within_s, Wait(lambda: what)
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        wait.look()
        time.sleep(LOOK_EVERY_S)
    return None

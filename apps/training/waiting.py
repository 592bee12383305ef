"""Read the queue of runs: whose turn it is and when each is expected to start."""

from collections.abc import Iterable
from datetime import datetime
from statistics import median

from django.utils.translation import gettext

from apps.rules.queueing import QueuePlace, RunUnderWay, Waiting, places
from apps.training.models import Policy, Run, RunState
from apps.training.services.turns import IN_TURN

REMEMBERED = 5  # finished runs of the same kind; their median is what the next one is expected to take


def places_of(runs: Iterable[Run], *, at: datetime) -> dict[int, QueuePlace]:
    """Position and expected start of those among `runs` that are queued; nothing is read where none is."""
    wanted = {run.pk for run in runs if run.state == RunState.QUEUED}
    if not wanted:
        return {}
    usual: dict[tuple[int, str], float | None] = {}
    training = [
        RunUnderWay(run.project_id, _left(run, _usual(run, usual), at))
        for run in Run.objects.filter(state=RunState.RUNNING).only("project_id", "kind", "seconds_left", "started_at")
    ]
    queued = [
        Waiting(run.pk, run.project_id, _usual(run, usual))
        for run in Run.objects.filter(state=RunState.QUEUED).order_by(*IN_TURN).only("project_id", "kind")
    ]
    at_once = dict(Policy.objects.values_list("project_id", "runs_at_once"))
    return {pk: place for pk, place in places(training, queued, at_once).items() if pk in wanted}


def turn_words(place: QueuePlace) -> str:
    """Where a queued run stands, for a person."""
    if place.position == 1:
        return gettext("next in the queue")
    return gettext("number {position} in the queue").format(position=place.position)


def _usual(run: Run, known: dict[tuple[int, str], float | None]) -> float | None:
    key = (run.project_id, run.kind)
    if key not in known:
        done = Run.objects.filter(project_id=key[0], kind=key[1], state=RunState.COMPLETED).order_by("-number")
        took = [
            seconds for r in done.only("started_at", "finished_at")[:REMEMBERED] if (seconds := r.took_s) is not None
        ]
        known[key] = median(took) if took else None
    return known[key]


def _left(run: Run, usual: float | None, at: datetime) -> float | None:
    if run.seconds_left is not None:
        return run.seconds_left
    if usual is None or run.started_at is None:
        return None
    return max(usual - (at - run.started_at).total_seconds(), 0.0)

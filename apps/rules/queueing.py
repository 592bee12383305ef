"""Who trains next, and when: the order in which free workers take queued runs, played forward in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunUnderWay:
    """A run that a worker has now. `seconds_left` is None while nobody can tell."""

    project: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued run and how long runs like it took. The caller gives them in the order in which they are taken."""

    run: int
    project: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """`position` counts from 1. `starts_in_s` is None where a run ahead has no known length."""

    position: int
    starts_in_s: float | None


def places(
    training: Sequence[RunUnderWay], queued: Sequence[Waiting], at_once: Mapping[int, int], workers: int | None = None
) -> dict[int, QueuePlace]:
    """Position and expected start of each queued run.

    A project trains `at_once` runs at the same time (1 unless said), all projects together as many as there are
    workers. Workers do not report while idle, so without `workers` the busy ones count, and one where none is busy.

    >>> places([Training(1, 30.0)], [Waiting(7, 1, 60.0), Waiting(8, 1, 60.0)], {})
    {7: Place(position=1, starts_in_s=30.0), 8: Place(position=2, starts_in_s=90.0)}
    """
    slots = max(workers or len(training), 1)
    free = [_or_never(t.seconds_left) for t in training] + [0.0] * (slots - len(training))
    taken: dict[int, list[float]] = {}
    for t in training:
        taken.setdefault(t.project, []).append(_or_never(t.seconds_left))
    found = {}
    for position, run in enumerate(queued, start=1):
        own = sorted(taken.get(run.project, []), reverse=True)
        limit = at_once.get(run.project, 1)
        own_place = own[limit - 1] if len(own) >= limit else 0.0  # when fewer than `limit` of the project's runs train
        start = max(min(free), own_place)
        latest = max(
            (end, slot) for slot, end in enumerate(free) if end <= start
        )  # the earlier ones serve others meanwhile
        free[latest[1]] = start + _or_never(run.seconds)
        taken.setdefault(run.project, []).append(free[latest[1]])
        found[run.run] = QueuePlace(position, None if start == NEVER else start)
    return found


NEVER = float("inf")


def _or_never(seconds: float | None) -> float:
    return NEVER if seconds is None else max(seconds, 0.0)

"""An answer and the next examples for one person: leases, and lanes topped up where one has run dry."""

import time
from dataclasses import replace

from django.db import IntegrityError, transaction

from apps.errors import DomainError
from apps.labeling import memory
from apps.labeling.models import Assignment
from apps.labeling.services.annotations import Answer, Saved, annotation_store, annotation_take
from apps.labeling.services.assignments import QueueRequest, assignment_at_once, assignments_next
from apps.labeling.services.frontier import CHANCE, frontier_refill

LEAST_WAIT_S = 1.0  # between two attempts to fill a lane that stays empty
WAIT_TIMES = 20  # of what the last attempt took: looking through a million labeled examples must not become the work


def answer_then_next(answer: Answer, asked: QueueRequest) -> tuple[Saved, list[Assignment]]:
    """Store an answer and lease what comes next: in one transaction where that works, else one after the other."""
    project, by, at = asked.project, asked.by, asked.at
    try:
        with transaction.atomic():
            saved = annotation_store(project=project, answer=answer, by=by, at=at)
            leased = assignment_at_once(asked) if asked.count == 1 else []
    except (DomainError, IntegrityError):  # it does not fit, stands already, or another tab was given the same example
        saved, leased = annotation_take(project=project, answer=answer, by=by, at=at), []
    return saved, leased or (queue_next(asked) if asked.count else [])


def queue_next(asked: QueueRequest) -> list[Assignment]:
    """As `assignments_next`; a lane of chance that is empty is filled first, so that its share is not given to others."""
    leased = assignments_next(asked)
    empty = {str(lane) for lane in CHANCE if lane in asked.dry}
    dry = {lane for lane in empty if not memory.refill_pause.get((asked.project.pk, lane))}
    missing = asked.count - len(leased) - len(asked.held) * asked.with_held
    if not dry or (asked.only and asked.only not in dry):
        return leased
    if _filled(asked, dry) and missing > 0:
        leased += assignments_next(replace(asked, count=missing, seed=asked.seed + 1, with_held=False))
    return leased


def _filled(asked: QueueRequest, dry: set[str]) -> int:
    began = time.monotonic()
    made = frontier_refill(project=asked.project, at=asked.at, seed=asked.seed % 2**31, lanes=dry, wait=False)
    if not made:
        for lane in dry:
            pause = max(LEAST_WAIT_S, WAIT_TIMES * (time.monotonic() - began))
            memory.refill_pause.put((asked.project.pk, lane), True, seconds=pause)
    return made

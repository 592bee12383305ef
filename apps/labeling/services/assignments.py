"""Leases: hand out the next example, renew, give back. Two people never hold the same slot.

The next slot is one statement with SKIP LOCKED on the frontier's rank order. The lease time stands on the frontier row
itself, so that PostgreSQL looks again at a row that changed under a waiting reader; unique constraints stand behind.
"""

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.errors import DomainError
from apps.labeling.models import Assignment, AssignmentState, FrontierItem, Lane
from apps.projects.models import Project
from apps.projects.selectors import guidelines_of
from apps.rules.holdout import in_holdout

LEASE = timedelta(minutes=5)  # median answer takes 40 s; renewed by a heartbeat while the tab is active
MOST_HELD = 20  # prefetched by one person over all tabs
BLIND_SHARE = 0.10  # STANDARDS: suggestions anchor, so one example in ten shows none


class LeaseLost(DomainError):
    code = "lease_lost"


def slots_lock(assignments: QuerySet[Assignment]) -> None:
    """Lock the frontier rows of these assignments. Always before the assignments themselves, as `_lease` does.

    The other order would deadlock: a late answer holds its assignment and waits for the slot, while whoever takes the
    slot waits for the assignment to expire it.
    """
    slots = assignments.order_by().values_list("example_id", "slot")
    wanted = Q(pk__in=[])
    for example_id, slot in slots:
        wanted |= Q(example_id=example_id, slot=slot)
    list(FrontierItem.objects.select_for_update().filter(wanted).order_by("pk").values_list("pk", flat=True))


_NEXT = """
    SELECT f.id FROM labeling_frontieritem f
    WHERE f.project_id = %(project)s AND f.lane = %(lane)s
      AND (f.leased_until IS NULL OR f.leased_until < %(at)s)
      AND NOT EXISTS (
          SELECT 1 FROM labeling_assignment a
          WHERE a.example_id = f.example_id AND a.holder_id = %(holder)s
            AND (a.state IN ('answered', 'skipped') OR (a.state = 'leased' AND a.leased_until >= %(at)s)))
    ORDER BY f.rank, f.id LIMIT 1
    FOR UPDATE OF f SKIP LOCKED
"""


def assignments_next(*, project: Project, by: User, count: int, at: datetime, seed: int) -> list[Assignment]:
    """Lease up to `count` slots, each in its own transaction; fewer when the lanes run out or MOST_HELD is reached."""
    held = Assignment.objects.filter(
        project=project, holder=by, state=AssignmentState.LEASED, leased_until__gte=at
    ).count()
    chance = random.Random(seed)
    leased: list[Assignment] = []
    guidelines = guidelines_of(project)
    version = guidelines.pk if guidelines else None
    while len(leased) < min(count, MOST_HELD - held):
        for lane in lane_order(project.lane_weights, chance):
            assignment = _lease_in(lane, project=project, by=by, at=at, guidelines_id=version)
            if assignment:
                leased.append(assignment)
                break
        else:
            break
    return leased


def lane_order(weights: dict[str, int], chance: random.Random) -> list[str]:
    """The lanes to try: one drawn by weight, then the others by falling weight. A lane of weight 0 comes never."""
    lanes = [lane for lane in Lane.values if weights.get(lane, 0) > 0]
    if not lanes:
        return []
    first = chance.choices(lanes, [weights[lane] for lane in lanes])[0]
    return [first, *sorted((x for x in lanes if x != first), key=lambda x: -weights[x])]


def _lease_in(lane: str, *, project: Project, by: User, at: datetime, guidelines_id: int | None) -> Assignment | None:
    """One slot of this lane, or None. A second tab of the same person may collide on a constraint: then once more."""
    for _ in range(2):
        try:
            with transaction.atomic():
                return _lease(lane, project=project, by=by, at=at, guidelines_id=guidelines_id)
        except IntegrityError:
            continue
    return None


def _lease(lane: str, *, project: Project, by: User, at: datetime, guidelines_id: int | None) -> Assignment | None:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"project": project.pk, "lane": lane, "at": at, "holder": by.pk})
        found = cursor.fetchone()
    if found is None:
        return None
    item = FrontierItem.objects.get(pk=found[0])
    Assignment.objects.filter(  # whoever had this slot, and this person on another slot of the example
        Q(slot=item.slot) | Q(holder=by), example_id=item.example_id, state=AssignmentState.LEASED, leased_until__lt=at
    ).update(state=AssignmentState.EXPIRED)
    suggestion, confidence = suggestion_of(item.example_id, item.reason)
    item.leased_until = at + LEASE
    item.save(update_fields=["leased_until"])
    return Assignment.objects.create(
        project=project, example_id=item.example_id, slot=item.slot, holder=by, token=uuid.uuid4(), leased_at=at,
        leased_until=at + LEASE, lane=item.lane, rank=item.rank, reason=item.reason, suggestion=suggestion,
        suggestion_confidence=confidence, run_number=item.run_number,
        selection_probability=item.selection_probability, guidelines_id=guidelines_id,
    )  # fmt: skip


def suggestion_of(example_id: int, reason: dict[str, Any]) -> tuple[str, float | None]:
    """The model's guess where it has one and the example is not in the blind share (by hash: a reload cannot peek)."""
    guess = reason.get("suggestion")
    if not guess or in_holdout(str(example_id), salt="blind", share=BLIND_SHARE):
        return "", None
    return str(guess), float(reason["suggestion_confidence"])


def _held_locked(by: User, leases: Sequence[tuple[int, uuid.UUID]]) -> list[Assignment]:
    """Those of the leases that still are this person’s, with their slots locked."""
    tokens = dict(leases)
    held = Assignment.objects.filter(pk__in=tokens, holder=by, state=AssignmentState.LEASED)
    slots_lock(held)
    return [a for a in held.select_for_update(no_key=True).order_by("pk") if a.token == tokens[a.pk]]


@transaction.atomic
def assignments_renew(*, by: User, leases: Sequence[tuple[int, uuid.UUID]], at: datetime) -> list[int]:
    """Push the leases out while the tab is active; returns the ids that are still held. The rest was lost."""
    kept = _held_locked(by, leases)
    for assignment in kept:
        FrontierItem.objects.filter(example_id=assignment.example_id, slot=assignment.slot).update(
            leased_until=at + LEASE
        )
    Assignment.objects.filter(pk__in=[a.pk for a in kept]).update(leased_until=at + LEASE)
    return [a.pk for a in kept]


@transaction.atomic
def assignments_release(*, by: User, leases: Sequence[tuple[int, uuid.UUID]], at: datetime) -> int:
    """Give back what was fetched and not shown, as a closing tab does, so that nobody waits for the lease to end."""
    given = _held_locked(by, leases)
    for assignment in given:
        FrontierItem.objects.filter(example_id=assignment.example_id, slot=assignment.slot).update(leased_until=None)
    Assignment.objects.filter(pk__in=[a.pk for a in given]).update(state=AssignmentState.EXPIRED, leased_until=at)
    return len(given)

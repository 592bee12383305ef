"""Leases: hand out the next examples, renew, give back. Two people never hold the same slot.

The next slots are one statement with SKIP LOCKED on the frontier's rank order. The lease time stands on the frontier row
itself, so that PostgreSQL looks again at a row that changed under a waiting reader; unique constraints stand behind.
"""

import random
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.errors import DomainError
from apps.labeling.models import QUEUED_LANES, Assignment, AssignmentState, FrontierItem, Lane
from apps.labeling.services.gold import Draw, gold_draw
from apps.labeling.services.prepared import insert
from apps.labeling.services.slots import NEXT, NEXT_AT_ONCE, TAKE, Slot, room_of
from apps.labeling.services.suggestions import suggestion_of
from apps.projects.models import GuidelineVersion, Project
from apps.statements import rows

LEASE = timedelta(minutes=5)  # median answer takes 40 s; renewed by a heartbeat while the tab is active
MOST_HELD = 20  # prefetched by one person over all tabs


class LeaseLost(DomainError):
    code = "lease_lost"


def slots_lock(assignments: QuerySet[Assignment]) -> None:
    """Lock the frontier rows of these assignments. Always before the assignments themselves, as a lease does.

    The other order would deadlock: a late answer holds its assignment and waits for the slot, while whoever takes the
    slot waits for the assignment to expire it.
    """
    same = assignments.order_by().filter(example=OuterRef("example"), slot=OuterRef("slot"))
    held = FrontierItem.objects.filter(Exists(same), example__in=assignments.order_by().values("example"))
    list(held.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))


def slots_lock_of(assignment_id: int) -> None:
    """`slots_lock` for every slot of this assignment's example: on the way of every answer."""
    rows(_SLOTS, [assignment_id])


_SLOTS = """
    SELECT f.id FROM labeling_frontieritem f
    WHERE f.example_id = (SELECT a.example_id FROM labeling_assignment a WHERE a.id = %s)
    ORDER BY f.id FOR UPDATE OF f
"""


@dataclass
class Asked:
    """What a request for examples found on its way."""

    dry: set[str] = field(default_factory=set)  # lanes that may be given and have nothing
    held: list[int] = field(default_factory=list)  # assignments that the person holds already


def assignments_next(
    *,
    project: Project,
    by: User,
    count: int,
    at: datetime,
    seed: int,
    may_review: bool = False,
    only: str = "",
    in_all: bool = False,
    asked: Asked | None = None,
) -> list[Assignment]:
    """Lease up to `count` slots; fewer when the lanes run out, MOST_HELD is reached, or the person is paused.

    With `in_all` what the person holds already counts towards `count`. `only` names the one lane to take from. Slots of
    a lane come in rank order, and a lane that has none is replaced by the others, by falling weight.
    """
    weights = {x: w for x, w in project.queue.lane_weights.items() if w > 0 and (x != Lane.REVIEW or may_review)}
    if only:
        weights = {only: 1} if only != Lane.REVIEW or may_review else {}
    most = 1 if in_all else MOST_HELD
    if count == 1 and (found := _at_once(project, weights, by=by, at=at, seed=seed, most=most)):
        return found
    room = room_of(project=project, by=by, at=at, lanes=list(weights))
    if asked:
        asked.dry, asked.held = set(weights) - room.lanes, room.held
    _empty[project.pk] = (at, frozenset(weights) - room.lanes)
    weights = {lane: weight for lane, weight in weights.items() if lane in room.lanes}
    wanted, leased, chance = (
        0 if room.paused else min(count - len(room.held) * in_all, MOST_HELD - len(room.held)),
        list[Assignment](),
        random.Random(seed),
    )
    while weights and len(leased) < wanted:
        drawn = Counter(lane_order(weights, chance)[0] for _ in range(wanted - len(leased)))
        for lane, n in drawn.items():
            got = _lease_in(lane, project=project, by=by, count=n, at=at, chance=chance)
            leased.extend(got)
            if not got:  # fewer than asked may be two slots of one example: the lane has more
                del weights[lane]
    return leased


_empty: dict[int, tuple[datetime, frozenset[str]]] = {}  # project -> lanes that had nothing, and when; of this process
EMPTY_FOR = timedelta(seconds=2)


def _at_once(
    project: Project, weights: Mapping[str, int], *, by: User, at: datetime, seed: int, most: int
) -> list[Assignment]:
    """One example of the lane that is drawn, in the way that nearly always works; nothing where it does not."""
    seen, empty = _empty.get(project.pk, (at, frozenset()))
    if not timedelta(0) <= at - seen < EMPTY_FOR:
        return []  # look again which lanes have something, so that an empty one is filled in time
    chance = random.Random(seed)
    order = lane_order({lane: w for lane, w in weights.items() if lane not in empty}, chance)
    if not order or order[0] == Lane.GOLD:
        return []
    return _lease_in(order[0], project=project, by=by, count=1, at=at, chance=chance, most=most)


def lane_order(weights: Mapping[str, int], chance: random.Random) -> list[str]:
    """The lanes to try: one drawn by weight, then the others by falling weight. A lane of weight 0 comes never."""
    lanes = [lane for lane in QUEUED_LANES if weights.get(lane, 0) > 0]
    if not lanes:
        return []
    first = chance.choices(lanes, [weights[lane] for lane in lanes])[0]
    return [first, *sorted((x for x in lanes if x != first), key=lambda x: -weights[x])]


def _lease_in(
    lane: str, *, project: Project, by: User, count: int, at: datetime, chance: random.Random, most: int = 0
) -> list[Assignment]:
    """Slots of this lane. A second tab of the same person may collide on a constraint: then once more."""
    for _ in range(2):
        try:
            with transaction.atomic():
                if lane == Lane.GOLD:
                    return _lease_gold(project=project, by=by, count=count, at=at, chance=chance)
                return _lease(lane, project=project, by=by, count=count, at=at, most=most)
        except IntegrityError:
            continue
    return []


def _lease(lane: str, *, project: Project, by: User, count: int, at: datetime, most: int = 0) -> list[Assignment]:
    """`most` is given where nobody has looked yet how many the person holds."""
    bound: dict[str, Any] = {
        "project": project.pk,
        "lane": lane,
        "at": at,
        "holder": by.pk,
        "count": count,
        "most": most,
    }
    by_example = {
        row[1]: row for row in reversed(rows(NEXT_AT_ONCE if most else NEXT, bound))
    }  # two slots of one example: the first
    if not by_example:
        return []
    found = [Slot.of(row) for row in reversed(by_example.values())]
    taken: dict[str, Any] = {"at": at, "until": at + LEASE, "holder": by.pk, "items": [s.item_id for s in found]}
    taken |= {"examples": [s.example.pk for s in found], "slots": [s.slot for s in found]}
    rows(TAKE, taken)
    return [insert(_assignment(s, project=project, by=by, at=at)) for s in found]


def _assignment(slot: Slot, *, project: Project, by: User, at: datetime) -> Assignment:
    shown = suggestion_of(
        slot.example.pk,
        lane=slot.lane,
        reason=slot.reason,
        imported=slot.imported,
        blind_share=project.queue.blind_share,
    )
    return Assignment(
        project=project,
        example=slot.example,
        slot=slot.slot,
        holder=by,
        token=uuid.uuid4(),
        leased_at=at,
        leased_until=at + LEASE,
        lane=slot.lane,
        rank=slot.rank,
        reason=slot.reason,
        suggestion=shown.label,
        suggested_value=shown.value,
        suggestion_confidence=shown.confidence,
        suggestion_source=shown.source,
        run_number=slot.run_number,
        selection_probability=slot.selection_probability,
        guidelines=slot.guidelines,
    )


def _lease_gold(*, project: Project, by: User, count: int, at: datetime, chance: random.Random) -> list[Assignment]:
    """Gold is no slot that waits for one answer: each person gets one of their own."""
    drawn = gold_draw(project=project, by=by, count=count, at=at, chance=chance)
    if not drawn:
        return []
    ids = [draw.example_id for draw in drawn]
    Assignment.objects.filter(example_id__in=ids, holder=by, state=AssignmentState.LEASED, leased_until__lt=at).update(
        state=AssignmentState.EXPIRED
    )
    newest = project.guidelines.only("pk", "number").first()
    examples = Example.objects.in_bulk(ids)
    return Assignment.objects.bulk_create(
        [_gold_assignment(d, examples[d.example_id], project, by, at, newest) for d in drawn]
    )


def _gold_assignment(
    draw: Draw, example: Example, project: Project, by: User, at: datetime, newest: GuidelineVersion | None
) -> Assignment:
    return Assignment(
        project=project,
        example=example,
        slot=draw.slot,
        holder=by,
        token=uuid.uuid4(),
        leased_at=at,
        leased_until=at + LEASE,
        lane=Lane.GOLD,
        rank=0,
        reason={"strategy": "gold"},
        suggestion=draw.planted,
        suggestion_confidence=draw.confidence,
        planted=bool(draw.planted),
        guidelines=newest,
    )


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

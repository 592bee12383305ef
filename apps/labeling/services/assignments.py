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

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.errors import DomainError
from apps.labeling.models import QUEUED_LANES, Assignment, AssignmentState, FrontierItem, Lane
from apps.labeling.services.gold import Draw, gold_draw
from apps.labeling.services.prepared import insert, rows
from apps.labeling.services.suggestions import Suggestion, suggestion_of
from apps.projects.models import GuidelineVersion, Project

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
    """`slots_lock` for whatever the holder of this assignment has had of its example: on the way of every answer."""
    rows(_SLOTS, [assignment_id])


_SLOTS = """
    SELECT f.id FROM labeling_frontieritem f
    WHERE (f.example_id, f.slot) IN (
        SELECT b.example_id, b.slot FROM labeling_assignment a
        JOIN labeling_assignment b ON b.example_id = a.example_id AND b.holder_id = a.holder_id WHERE a.id = %s)
    ORDER BY f.id FOR UPDATE OF f
"""


# What a lease needs to know comes along, so that one statement finds it: the example, a guess from outside, the
# guidelines in force. Somebody paused is given nothing, and nobody holds more than MOST_HELD.
_NEXT = """
    SELECT f.id, f.example_id, f.slot, f.lane, f.rank, f.reason::text, f.run_number, f.selection_probability,
           e.external_id, e.fields::text, p.model_version, p.label, p.value::text, p.confidence,
           g.id, g.number
    FROM labeling_frontieritem f
    JOIN datasets_example e ON e.id = f.example_id
    LEFT JOIN LATERAL (
        SELECT q.model_version, s.name AS label, q.value, q.confidence FROM labeling_importedprediction q
        LEFT JOIN projects_schemalabel s ON s.id = q.label_id
        WHERE q.example_id = f.example_id ORDER BY q.at DESC, q.id DESC LIMIT 1) p ON true
    LEFT JOIN LATERAL (
        SELECT v.id, v.number FROM projects_guidelineversion v
        WHERE v.project_id = %(project)s ORDER BY v.number DESC LIMIT 1) g ON true
    WHERE f.project_id = %(project)s AND f.lane = %(lane)s
      AND (f.leased_until IS NULL OR f.leased_until < %(at)s)
      AND NOT EXISTS (
          SELECT 1 FROM labeling_assignment a
          WHERE a.example_id = f.example_id AND a.holder_id = %(holder)s
            AND (a.state IN ('answered', 'skipped') OR (a.state = 'leased' AND a.leased_until >= %(at)s)))
    ORDER BY f.rank, f.id LIMIT %(count)s
    FOR UPDATE OF f SKIP LOCKED
"""

# How many this person holds, whether they are paused, and which lanes have anything at all: a lane is not drawn in vain.
_ROOM = """
    SELECT ARRAY(SELECT id FROM labeling_assignment WHERE project_id = %(project)s AND holder_id = %(holder)s
              AND state = 'leased' AND leased_until >= %(at)s),
           EXISTS (SELECT 1 FROM labeling_pause WHERE project_id = %(project)s AND person_id = %(holder)s
              AND lifted_at IS NULL),
           ARRAY(SELECT lane FROM unnest(%(lanes)s::text[]) AS x(lane) WHERE CASE lane
              WHEN 'gold' THEN EXISTS (SELECT 1 FROM labeling_golditem g WHERE g.project_id = %(project)s)
              ELSE (SELECT f.id FROM labeling_frontieritem f WHERE f.project_id = %(project)s AND f.lane = x.lane
                    ORDER BY f.rank LIMIT 1) IS NOT NULL END)  -- EXISTS would drop the order, and with it the index
"""

_TAKE = """
    WITH taken AS (
        UPDATE labeling_frontieritem SET leased_until = %(until)s::timestamptz WHERE id = ANY(%(items)s::bigint[])
    )
    UPDATE labeling_assignment SET state = 'expired'
    WHERE state = 'leased' AND leased_until < %(at)s AND example_id = ANY(%(examples)s::bigint[])
      AND (holder_id = %(holder)s OR (example_id, slot) IN (SELECT * FROM unnest(%(examples)s::bigint[], %(slots)s::smallint[])))
"""


@dataclass
class Asked:
    """What a request for examples found on its way."""

    dry: set[str] = field(default_factory=set)  # lanes that may be given and have nothing
    held: list[int] = field(default_factory=list)  # assignments that the person holds already


def assignments_next(
    *, project: Project, by: User, count: int, at: datetime, seed: int, may_review: bool = False, only: str = "",
    in_all: bool = False, asked: Asked | None = None,
) -> list[Assignment]:  # fmt: skip
    """Lease up to `count` slots; fewer when the lanes run out, MOST_HELD is reached, or the person is paused.

    With `in_all` what the person holds already counts towards `count`. `only` names the one lane to take from. Slots of
    a lane come in rank order, and a lane that has none is replaced by the others, by falling weight.
    """
    weights = {x: w for x, w in project.lane_weights.items() if w > 0 and (x != Lane.REVIEW or may_review)}
    if only:
        weights = {only: 1} if only != Lane.REVIEW or may_review else {}
    room = _room(project=project, by=by, at=at, lanes=list(weights))
    if asked:
        asked.dry, asked.held = set(weights) - room.lanes, room.held
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
            if len(got) < n:
                del weights[lane]
    return leased


@dataclass(frozen=True)
class Room:
    """What limits the next lease: assignments held, a pause, and the lanes that have something."""

    held: list[int]
    paused: bool
    lanes: frozenset[str]


def _room(*, project: Project, by: User, at: datetime, lanes: list[str]) -> Room:
    ((held, paused, found),) = rows(_ROOM, {"project": project.pk, "holder": by.pk, "at": at, "lanes": lanes})
    return Room(held, paused, frozenset(found))


def lane_order(weights: Mapping[str, int], chance: random.Random) -> list[str]:
    """The lanes to try: one drawn by weight, then the others by falling weight. A lane of weight 0 comes never."""
    lanes = [lane for lane in QUEUED_LANES if weights.get(lane, 0) > 0]
    if not lanes:
        return []
    first = chance.choices(lanes, [weights[lane] for lane in lanes])[0]
    return [first, *sorted((x for x in lanes if x != first), key=lambda x: -weights[x])]


def _lease_in(
    lane: str, *, project: Project, by: User, count: int, at: datetime, chance: random.Random
) -> list[Assignment]:
    """Slots of this lane. A second tab of the same person may collide on a constraint: then once more."""
    for _ in range(2):
        try:
            with transaction.atomic():
                if lane == Lane.GOLD:
                    return _lease_gold(project=project, by=by, count=count, at=at, chance=chance)
                return _lease(lane, project=project, by=by, count=count, at=at)
        except IntegrityError:
            continue
    return []


def _lease(lane: str, *, project: Project, by: User, count: int, at: datetime) -> list[Assignment]:
    bound: dict[str, Any] = {"project": project.pk, "lane": lane, "at": at, "holder": by.pk, "count": count}
    by_example = {row[1]: row for row in reversed(rows(_NEXT, bound))}  # two slots of one example: the first
    if not by_example:
        return []
    found = [Slot.of(row) for row in reversed(by_example.values())]
    taken: dict[str, Any] = {"at": at, "until": at + LEASE, "holder": by.pk, "items": [s.item_id for s in found]}
    taken |= {"examples": [s.example.pk for s in found], "slots": [s.slot for s in found]}
    rows(_TAKE, taken)
    return [insert(_assignment(s, project=project, by=by, at=at)) for s in found]


@dataclass(frozen=True)
class Slot:
    """One row of _NEXT."""

    item_id: int
    example: Example
    slot: int
    lane: str
    rank: int
    reason: dict[str, Any]
    run_number: int | None
    selection_probability: float | None
    imported: Suggestion | None
    guidelines: GuidelineVersion | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Slot":
        imported = None
        if row[10] is not None:
            value = orjson.loads(row[12]) if row[12] else None
            imported = Suggestion(label=row[11] or "", value=value, confidence=row[13], source=row[10])
        example = Example(pk=row[1], external_id=row[8], fields=orjson.loads(row[9]))
        reason = orjson.loads(row[5])
        newest = GuidelineVersion(pk=row[14], number=row[15]) if row[14] else None
        return cls(row[0], example, row[2], row[3], row[4], reason, row[6], row[7], imported, newest)


def _assignment(slot: Slot, *, project: Project, by: User, at: datetime) -> Assignment:
    shown = suggestion_of(
        slot.example.pk, lane=slot.lane, reason=slot.reason, imported=slot.imported, blind_share=project.blind_share
    )
    return Assignment(
        project=project, example=slot.example, slot=slot.slot, holder=by, token=uuid.uuid4(), leased_at=at,
        leased_until=at + LEASE, lane=slot.lane, rank=slot.rank, reason=slot.reason, suggestion=shown.label,
        suggested_value=shown.value, suggestion_confidence=shown.confidence, suggestion_source=shown.source,
        run_number=slot.run_number, selection_probability=slot.selection_probability, guidelines=slot.guidelines,
    )  # fmt: skip


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
        project=project, example=example, slot=draw.slot, holder=by, token=uuid.uuid4(), leased_at=at,
        leased_until=at + LEASE, lane=Lane.GOLD, rank=0, reason={"strategy": "gold"}, suggestion=draw.planted,
        suggestion_confidence=draw.confidence, planted=bool(draw.planted), guidelines=newest,
    )  # fmt: skip


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

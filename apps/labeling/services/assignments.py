"""Leases: hand out the next examples, renew, give back. Two people never hold the same slot.

The next slots are one statement with SKIP LOCKED on the frontier's rank order. The lease time stands on the frontier row
itself, so that PostgreSQL looks again at a row that changed under a waiting reader; unique constraints stand behind.
"""

import random
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.labeling import memory
from apps.labeling.locks import leases_locked
from apps.labeling.models import QUEUED_LANES, Assignment, AssignmentState, FrontierItem, Lane
from apps.labeling.services.gold import Draw, gold_draw
from apps.labeling.services.slots import NEXT, ROOM
from apps.labeling.services.suggestions import Suggestion, suggestion_of
from apps.projects.models import GuidelineVersion, Project
from apps.statements import insert, rows

LEASE = timedelta(minutes=5)  # median answer takes 40 s; renewed by a heartbeat while the tab is active
MOST_HELD = 20  # prefetched by one person over all tabs


@dataclass
class QueueRequest:
    """One person asks for up to `count` examples, and what was found on the way.

    `only` names the one lane to take from. With `with_held` what the person holds already counts towards `count`.
    """

    project: Project
    by: User
    count: int
    at: datetime
    seed: int
    may_review: bool = False
    only: str = ""
    with_held: bool = False
    dry: set[str] = field(default_factory=set)  # lanes that may be given and have nothing
    held: list[int] = field(default_factory=list)  # assignments that the person holds already

    @property
    def weights(self) -> dict[str, int]:
        """Of the lanes that may be given."""
        if self.only:
            return {self.only: 1} if self.only != Lane.REVIEW or self.may_review else {}
        lanes = self.project.queue.lane_weights.items()
        return {lane: w for lane, w in lanes if w > 0 and (lane != Lane.REVIEW or self.may_review)}


def assignments_next(asked: QueueRequest) -> list[Assignment]:
    """Lease up to `count` slots; fewer when the lanes run out, MOST_HELD is reached, or the person is paused.

    Slots of a lane come in rank order, and a lane that has none is replaced by the others, by falling weight.
    """
    if asked.count == 1:
        with suppress(IntegrityError), transaction.atomic():
            if leased := assignment_at_once(asked):
                return leased
    weights, chance = asked.weights, random.Random(asked.seed)
    bound = {"project": asked.project.pk, "holder": asked.by.pk, "at": asked.at, "lanes": list(weights)}
    ((asked.held, paused, lanes),) = rows(ROOM, bound)
    asked.dry = set(weights) - set(lanes)
    memory.dry_lanes.put(asked.project.pk, asked.dry)
    weights = {lane: weight for lane, weight in weights.items() if lane in lanes}
    leased = []
    wanted = 0 if paused else min(asked.count - len(asked.held) * asked.with_held, MOST_HELD - len(asked.held))
    while weights and len(leased) < wanted:
        drawn = Counter(lane_order(weights, chance)[0] for _ in range(wanted - len(leased)))
        for lane, n in drawn.items():
            got = _lease_in(lane, asked, count=n, chance=chance)
            leased.extend(got)
            if not got:  # fewer than asked may be two slots of one example: the lane has more
                del weights[lane]
    return leased


def assignment_at_once(asked: QueueRequest) -> list[Assignment]:
    """One example of the lane that is drawn, in the way that nearly always works; nothing where it does not.

    Within the caller's transaction. Raises IntegrityError where a second tab of the same person was given it meanwhile.
    """
    dry = memory.dry_lanes.get(asked.project.pk)
    if dry is None:
        return []  # look again which lanes have something, so that an empty one is filled in time
    weights = {lane: w for lane, w in asked.weights.items() if lane not in dry}
    order = lane_order(weights, random.Random(asked.seed))
    if not order or order[0] == Lane.GOLD:
        return []
    return _lease(order[0], asked, count=1, most=1 if asked.with_held else MOST_HELD)


def lane_order(weights: Mapping[str, int], chance: random.Random) -> list[str]:
    """The lanes to try: one drawn by weight, then the others by falling weight. A lane of weight 0 comes never."""
    lanes = [lane for lane in QUEUED_LANES if weights.get(lane, 0) > 0]
    if not lanes:
        return []
    first = chance.choices(lanes, [weights[lane] for lane in lanes])[0]
    return [first, *sorted((x for x in lanes if x != first), key=lambda x: -weights[x])]


def _lease_in(lane: str, asked: QueueRequest, *, count: int, chance: random.Random) -> list[Assignment]:
    """Slots of this lane. A second tab of the same person may collide on a constraint: then once more."""
    for _ in range(2):
        try:
            with transaction.atomic():
                if lane == Lane.GOLD:
                    return _lease_gold(asked, count=count, chance=chance)
                return _lease(lane, asked, count=count, most=MOST_HELD)
        except IntegrityError:
            continue
    return []


def _lease(lane: str, asked: QueueRequest, *, count: int, most: int) -> list[Assignment]:
    project, by, at = asked.project, asked.by, asked.at
    bound = {"project": project.pk, "lane": lane, "holder": by.pk, "at": at, "until": at + LEASE}
    found = rows(NEXT, bound | {"count": count, "most": most})
    return [insert(_assignment(row, project=project, by=by, at=at)) for row in found]


def _assignment(row: Sequence[Any], *, project: Project, by: User, at: datetime) -> Assignment:
    """The lease on one row of NEXT, with what is suggested on it."""
    pk, external_id, fields, slot, lane, rank, reason, run_number, probability, source, *guess, guidelines, number = row
    imported = Suggestion(guess[0] or "", guess[1], guess[2], source) if source is not None else None
    share = project.queue.blind_share
    shown = suggestion_of(pk, lane=lane, reason=reason, imported=imported, blind_share=share)
    return Assignment(
        project=project,
        example=Example(pk=pk, external_id=external_id, fields=fields),
        slot=slot,
        holder=by,
        token=uuid.uuid4(),
        leased_at=at,
        leased_until=at + LEASE,
        lane=lane,
        rank=rank,
        reason=reason,
        suggestion=shown.label,
        suggested_value=shown.value,
        suggestion_confidence=shown.confidence,
        suggestion_source=shown.source,
        run_number=run_number,
        selection_probability=probability,
        guidelines=GuidelineVersion(pk=guidelines, number=number) if guidelines else None,
    )


def _lease_gold(asked: QueueRequest, *, count: int, chance: random.Random) -> list[Assignment]:
    """Gold is no slot that waits for one answer: each person gets one of their own."""
    project, by, at = asked.project, asked.by, asked.at
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


@transaction.atomic
def assignments_renew(*, by: User, leases: Sequence[tuple[int, uuid.UUID]], at: datetime) -> list[int]:
    """Push the leases out while the tab is active; returns the ids that are still held. The rest was lost."""
    kept = leases_locked(by, leases)
    for assignment in kept:
        FrontierItem.objects.filter(example_id=assignment.example_id, slot=assignment.slot).update(
            leased_until=at + LEASE
        )
    Assignment.objects.filter(pk__in=[a.pk for a in kept]).update(leased_until=at + LEASE)
    return [a.pk for a in kept]


@transaction.atomic
def assignments_release(*, by: User, leases: Sequence[tuple[int, uuid.UUID]], at: datetime) -> int:
    """Give back what was fetched and not shown, as a closing tab does, so that nobody waits for the lease to end."""
    given = leases_locked(by, leases)
    for assignment in given:
        FrontierItem.objects.filter(example_id=assignment.example_id, slot=assignment.slot).update(leased_until=None)
    Assignment.objects.filter(pk__in=[a.pk for a in given]).update(state=AssignmentState.EXPIRED, leased_until=at)
    return len(given)

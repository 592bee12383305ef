"""Keep the frontier filled: a few hundred slots a lane, ranked. Never a walk over the whole pool's rows.

Only the active lane is ranked, by a model or by a cold start. Random and holdout lanes are drawn by chance and stay so:
they are what the live lift and the gates are measured on. The audit lane is filled elsewhere and never touched here.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from apps.datasets.ids import ids_selected
from apps.datasets.models import Example
from apps.labeling.models import Assignment, AssignmentState, Frontier, FrontierItem, Lane
from apps.labeling.services.draws import OPEN, draw
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project
from apps.work.locks import Lock, lock

DEPTH = {Lane.ACTIVE: 2000, Lane.RANDOM: 400, Lane.HOLDOUT: 400}  # slots; a team of 50 answers about 400 in 10 min
CHANCE = (Lane.HOLDOUT, Lane.RANDOM, Lane.ACTIVE)  # lanes that are drawn where nothing orders them, in this order
RANDOM_SHARE, RANDOM_LEAST = 0.02, 10  # of the pool: what waits in the random lane is withheld from the active one


@dataclass(frozen=True)
class Scored:
    """One pick of the scorer, best first."""

    example_id: int
    reason: Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """Where an order comes from, for those who read the frontier. `run_number` is None where no model was asked."""

    strategy: str
    pool_size: int
    run_number: int | None = None
    encoder: str = ""
    near_duplicates: int = 0
    unscored: int = 0
    sentence: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    as_of: datetime | None = None  # when the scoring began: what came later is not in it


# Slots of an example that nobody has answered, given the project's overlap. An open example whose slots are all
# answered is split between two labels: it gets one slot more.
_FREE_SLOT = """
    CROSS JOIN LATERAL generate_series(0, GREATEST(%(overlap)s - 1, (
        SELECT count(*) FROM labeling_assignment a
        WHERE a.example_id = c.id AND a.state = 'answered')::int)) AS free(slot)
    WHERE NOT EXISTS (
        SELECT 1 FROM labeling_assignment a
        WHERE a.example_id = c.id AND a.slot = free.slot AND a.state = 'answered')
"""

_PUT = f"""
    INSERT INTO labeling_frontieritem
        (project_id, example_id, slot, lane, rank, reason, run_number, selection_probability, queued_at, leased_until)
    SELECT %(project)s, c.id, free.slot, %(lane)s, %(above)s + c.rank, %(reason)s::jsonb, NULL, %(share)s, %(at)s, NULL
    FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS c(id, rank) {_FREE_SLOT}
      AND NOT EXISTS (SELECT 1 FROM labeling_label l WHERE l.example_id = c.id)  -- answered since it was drawn
    ON CONFLICT DO NOTHING
"""

# The random lane draws from every open example, so what waits in the active lane gives way where the draw hits it.
_GIVE_WAY = """
    DELETE FROM labeling_frontieritem f
    WHERE f.example_id = ANY(%(ids)s) AND f.lane = 'active' AND (f.leased_until IS NULL OR f.leased_until < %(at)s)
"""


@transaction.atomic
def frontier_refill(
    *,
    project: Project,
    at: datetime,
    seed: int,
    redraw: bool = False,
    lanes: Collection[str] = CHANCE,
    wait: bool = True,
) -> int:
    """Top up each of the lanes that runs low; returns the number of new slots. Safe at any time and twice at once.

    `redraw` is for new examples: what waits in the lanes of chance is drawn again, since a lane filled from the first
    thousand rows of a sorted file would stay a sample of those. Without `wait` nothing is done while somebody else fills.
    """
    if not _frontier_lock(project, wait=wait):
        return 0
    frontier, _ = Frontier.objects.get_or_create(project=project)
    if redraw:
        by_chance = [Lane.HOLDOUT, Lane.RANDOM, *([Lane.ACTIVE] if frontier.scored_at is None else [])]
        _waiting(project, by_chance, at).delete()
    added = 0
    for lane in (x for x in CHANCE if x in lanes):
        have, depth = FrontierItem.objects.filter(project=project, lane=lane).count(), _depth(project, lane)
        scored_lane_has_work = lane == Lane.ACTIVE and frontier.scored_at is not None and have > 0
        if have > depth // 2 or scored_lane_has_work:
            continue
        added += _fill(project, lane, wanted=depth - have, at=at, seed=seed + len(lane))
    if added:
        look_again(Topic.PROJECT.of(project.pk), News.QUEUE)
    return added


def _waiting(project: Project, lanes: Sequence[str], at: datetime) -> QuerySet[FrontierItem]:
    """What nobody holds and nobody has begun: an example that somebody has answered waits for its other answers."""
    begun = Assignment.objects.filter(example=OuterRef("example"), state=AssignmentState.ANSWERED)
    found = FrontierItem.objects.filter(project=project, lane__in=lanes).exclude(leased_until__gte=at)
    return found.filter(~Exists(begun))


def _frontier_lock(project: Project, *, wait: bool) -> bool:
    """One at a time fills, swaps or labels automatically, until the transaction ends."""
    return lock(Lock.FRONTIER, project.pk, wait=wait)


def _depth(project: Project, lane: Lane) -> int:
    if lane != Lane.RANDOM:
        return DEPTH[lane]
    enough = round(
        DEPTH[lane] / RANDOM_SHARE
    )  # from here on the lane is as deep as it gets: no need to count a million
    pool = Example.objects.filter(project=project, holdout=False)[:enough].count()
    return min(DEPTH[lane], max(RANDOM_LEAST, round(pool * RANDOM_SHARE)))


def _fill(project: Project, lane: Lane, *, wanted: int, at: datetime, seed: int) -> int:
    """Fill one lane by chance. The random lane takes what the active lane only holds in waiting, never the reverse."""
    displaces = Lane.ACTIVE if lane == Lane.RANDOM else ""
    drawn = draw(project, holdout=lane == Lane.HOLDOUT, displaces=displaces, wanted=wanted, seed=seed)
    values: dict[str, Any] = {
        "project": project.pk,
        "lane": lane,
        "ids": drawn.ids,
        "share": drawn.share,
        "at": at,
        "overlap": project.queue.overlap_in(lane),
        "above": _highest_rank(project, lane),
        "reason": '{"strategy": "random"}' if lane != Lane.ACTIVE else '{"strategy": "no-model"}',
    }
    with connection.cursor() as cursor:
        if lane == Lane.RANDOM:
            cursor.execute(_GIVE_WAY, values)
        cursor.execute(_PUT, values)
        return int(cursor.rowcount)


def _highest_rank(project: Project, lane: str) -> int:
    ranks = FrontierItem.objects.filter(project=project, lane=lane).order_by("-rank").values_list("rank", flat=True)
    return ranks.first() or 0


@transaction.atomic
def frontier_swap(*, project: Project, picks: Sequence[Scored], origin: Origin, at: datetime) -> int:
    """Replace what waits in the active lane by a newly scored order at once; what is held stays with its holder."""
    _frontier_lock(project, wait=True)
    frontier, _ = Frontier.objects.get_or_create(project=project)
    _waiting(project, [Lane.ACTIVE], at).delete()
    FrontierItem.objects.filter(project=project, lane=Lane.ACTIVE, leased_until=None).update(rank=0)  # begun: first
    # In this order: an answer that is committed in between then closes the example, instead of asking for a second one.
    answered = _answered_slots(project, {p.example_id for p in picks})
    still_open = _still_open(project, [p.example_id for p in picks])
    items = [
        FrontierItem(
            project=project,
            example_id=p.example_id,
            slot=slot,
            lane=Lane.ACTIVE,
            rank=rank,
            reason=dict(p.reason),
            run_number=origin.run_number,
            queued_at=at,
        )
        for rank, p in enumerate(picks)
        if p.example_id in still_open
        for slot in range(max(project.queue.overlap_in(Lane.ACTIVE), len(answered[p.example_id]) + 1))
        if slot not in answered[p.example_id]
    ]
    FrontierItem.objects.bulk_create(items, ignore_conflicts=True, batch_size=2000)
    frontier.generation += 1
    frontier.strategy, frontier.run_number, frontier.encoder = origin.strategy, origin.run_number, origin.encoder
    frontier.pool_size, frontier.scored_at = origin.pool_size, origin.as_of or at
    frontier.near_duplicates, frontier.unscored = origin.near_duplicates, origin.unscored
    frontier.sentence, frontier.seconds = origin.sentence[:300], dict(origin.seconds)
    frontier.save()
    look_again(Topic.PROJECT.of(project.pk), News.QUEUE)
    return len(items)


def _still_open(project: Project, example_ids: Sequence[int]) -> set[int]:
    """Of these, the ones that nobody has settled since they were scored."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id {OPEN} AND e.id = ANY(%(ids)s)",
            {"project": project.pk, "holdout": False, "ids": list(example_ids)},
        )
        return {row[0] for row in cursor.fetchall()}


def _answered_slots(project: Project, example_ids: set[int]) -> dict[int, set[int]]:
    answered: dict[int, set[int]] = defaultdict(set)
    found = Assignment.objects.filter(project=project, example_id__in=example_ids, state=AssignmentState.ANSWERED)
    for example_id, slot in found.values_list("example_id", "slot"):
        answered[example_id].add(slot)
    return answered


def closed_ids(project_id: int) -> NDArray[np.int64]:
    """Every example that nobody needs to answer any more, ascending: labeled, set aside, or labeled by the model."""
    return ids_selected(_CLOSED, {"project": project_id})


def open_count(project_id: int) -> int:
    """How many examples outside the holdout still want an answer."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {OPEN}", {"project": project_id, "holdout": False})
        return int(cursor.fetchone()[0])


def open_ids(project_id: int, *, first: int = 0, last: int = 2**62) -> NDArray[np.int64]:
    """Those outside the holdout with ids from `first` to `last`, both included, ascending."""
    bound = {"project": project_id, "holdout": False, "first": first, "last": last}
    return ids_selected(f"SELECT e.id {OPEN} AND e.id BETWEEN %(first)s AND %(last)s ORDER BY e.id", bound)


_CLOSED = """
    SELECT example_id FROM labeling_label WHERE project_id = %(project)s
    UNION SELECT example_id FROM labeling_setaside WHERE project_id = %(project)s
    UNION SELECT example_id FROM labeling_autolabel WHERE project_id = %(project)s
    ORDER BY 1
"""

"""Order the pool and swap the active lane in one step. A small pool in one task; a large one in parts, on any machine."""

import logging
import time
from collections.abc import Iterator, Sequence

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.datasets.ids import ids_selected
from apps.datasets.selectors import newest_example_id
from apps.features.shards import Opened, shard_sizes, shards_open
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.models import ScoringPart
from apps.labeling.services.frontier import closed_ids, open_ids
from apps.labeling.services.scoring import PartPlan, scoring_fail, scoring_open, scoring_part_done, scoring_part_open
from apps.projects.selectors import project_of
from apps.work.jobs import ask_each, task
from apps.work.names import Job
from workers.tasks.order import finish, with_vectors
from workers.tasks.plan import ScoringPlan, plan_again, plan_of
from workers.tasks.pool import (
    MEMBERS,
    Chunk,
    Thinned,
    chunks_of_ids,
    chunks_of_rows,
    chunks_of_shards,
    packed,
    thinned,
    unpacked,
    voters_for,
)
from workers.tasks.rows import payloads_of
from workers.training.models.bundle import BundleUnreadable, predict
from workers.training.models.score import VectorScorer, Voters

logger = logging.getLogger(__name__)
WHOLE = 200_000  # rows that one task scores by itself: below a second for texts, and no message to wait for
PART_ROWS = 100_000  # of vectors in one part
PART_PAYLOADS = 20_000  # of images or table rows in one part; they are fetched and decoded
FETCHED = 4096  # payloads in memory at once
LAST = 2**62


@task(Job.SCORE)
def score(project_id: int) -> None:
    """Skipped while the same ordering is under way, and in the archive.

    What has no vector yet is asked for, and scored once it has.
    """
    project = project_of(project_id)
    if project.archived_at is not None:
        return
    plan = plan_of(project)
    parts = _parts(plan)
    scoring = scoring_open(
        project=project,
        run_number=plan.run.number if plan.run else None,
        strategy=plan.strategy.name,
        encoder=plan.encoder,
        seed=plan.seed,
        newest_example=newest_example_id(project),
        sentence=plan.sentence,
        parts=parts,
        at=timezone.now(),
    )
    if scoring is None:
        return
    if parts:
        _send(list(scoring.parts.all()))
        return
    try:
        began = time.perf_counter()
        found = thinned(plan.strategy, _chunks(plan, PartPlan(last_id=LAST)), seed=plan.seed)
        finish(scoring, plan, [found], {"scan": time.perf_counter() - began})
    except Exception as fault:
        scoring_fail(scoring=scoring, sentence=f"The scoring stopped on a fault of ours: {fault}", at=timezone.now())
        raise


@task(Job.SCORE_PART)
def score_part(part_id: int) -> None:
    """Score one part; whoever finishes the last one merges. Delivered twice, it finds its part done and goes home."""
    part = scoring_part_open(part_id)
    if part is None:
        return
    scoring, began = part.scoring, time.perf_counter()
    try:
        plan = plan_again(scoring)
    except (Unavailable, BundleUnreadable) as gone:
        scoring_fail(scoring=scoring, sentence=f"The model is gone: {gone}", at=timezone.now())
        return
    asked = PartPlan(tuple(part.shards), part.first_id, part.last_id)
    found = thinned(plan.strategy, _chunks(plan, asked), seed=plan.seed)
    candidates = with_vectors(plan, found.candidates)
    url = wiring.storage().write(f"scoring/{scoring.pk}/{part.number}.npz", packed(candidates))
    last = scoring_part_done(
        part=part,
        url=url,
        scored=found.scored,
        unusable=found.unusable,
        seconds=time.perf_counter() - began,
        at=timezone.now(),
    )
    if last:
        _merge(plan, list(scoring.parts.all()))


def _merge(plan: ScoringPlan, parts: Sequence[ScoringPart]) -> None:
    """All parts are done: read their candidates, order them, and leave no file behind."""
    scoring = parts[0].scoring
    try:
        found = [Thinned(unpacked(wiring.storage().read(p.url)), p.scored, p.unusable) for p in parts]
        finish(scoring, plan, found, {"scan": sum(p.seconds for p in parts)})
    except Exception as fault:
        scoring_fail(scoring=scoring, sentence=f"The parts could not be merged: {fault}", at=timezone.now())
        raise
    finally:
        for part in parts:
            wiring.storage().remove(part.url)


def _parts(plan: ScoringPlan) -> list[PartPlan]:
    """How a large pool is cut; empty where one task does it all."""
    if plan.reads_rows:
        ids = ids_selected(
            "SELECT id FROM datasets_example WHERE project_id = %(project)s AND NOT holdout ORDER BY id",
            {"project": plan.project.pk},
        )
        starts = ids[::PART_PAYLOADS]
        ends = [*(starts[1:] - 1), LAST]
        cut = [PartPlan(first_id=int(a), last_id=int(b)) for a, b in zip(starts, ends, strict=True)]
        return cut if len(cut) > 1 else []
    shards = shard_sizes(plan.project.pk, plan.encoder)
    if sum(rows for _, rows in shards) <= WHOLE:
        return []
    cut, numbers, held = [], list[int](), 0
    for number, rows in shards:
        if numbers and held + rows > PART_ROWS:
            cut.append(PartPlan(tuple(numbers)))
            numbers, held = [], 0
        numbers.append(number)
        held += rows
    return [*cut, PartPlan(tuple(numbers))]


def _chunks(plan: ScoringPlan, asked: PartPlan) -> Iterator[Chunk]:
    """The rows of one part, scored as the plan says."""
    if plan.reads_rows:
        return _payload_chunks(plan, asked)
    opened = shards_open(plan.project.pk, plan.encoder, asked.shards or None)
    if not opened.shards and not plan.asks_model:
        return chunks_of_ids(open_ids(plan.project.pk, first=asked.first_id, last=asked.last_id))
    return _vector_chunks(plan, opened)


def _vector_chunks(plan: ScoringPlan, opened: Opened) -> Iterator[Chunk]:
    closed = closed_ids(plan.project.pk)
    if not plan.asks_model or plan.bundle is None:
        return chunks_of_shards(opened.shards, closed, None)
    bundle = plan.bundle
    voters = voters_for(plan.strategy, lambda: Voters(bundle, members=MEMBERS, seed=plan.seed))
    return chunks_of_shards(opened.shards, closed, VectorScorer(bundle), voters)


def _payload_chunks(plan: ScoringPlan, asked: PartPlan) -> Iterator[Chunk]:
    assert plan.bundle is not None
    bundle, project = plan.bundle, plan.project
    voters = voters_for(plan.strategy, lambda: Voters(bundle, members=MEMBERS, seed=plan.seed))

    def ask(ids: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        rows = payloads_of(project, ids)
        return predict(bundle, rows), voters(rows) if voters else None

    return chunks_of_rows(open_ids(project.pk, first=asked.first_id, last=asked.last_id), FETCHED, ask)


def _send(parts: Sequence[ScoringPart]) -> None:
    """One group; without Redis the rows wait for the sweep."""
    ask_each(Job.SCORE_PART, [(p.pk,) for p in parts])

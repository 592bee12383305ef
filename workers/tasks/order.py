"""From the best rows of the pool to the queue: merge, look at what is labeled, choose, explain, swap."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from django.utils import timezone

from apps.features.shards import vectors_at, vectors_lacking
from apps.labeling.models import Lane, ScoringPass
from apps.labeling.services.frontier import DEPTH, Origin, Scored, frontier_refill, open_count
from apps.labeling.services.scoring import scoring_finish
from apps.labeling.settled import newest_seen
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules import acquisition
from apps.rules.acquisition import Candidates, LabeledVectors, Need
from apps.rules.words import count
from apps.training.services.triggers import trigger_of
from apps.work.jobs import ask
from apps.work.names import Job
from workers.tasks.plan import ScoringPlan
from workers.tasks.pool import Thinned
from workers.tasks.rows import rows_of
from workers.training.models.bundle import predict

SEEN = 20_000  # newest labels and skips that a choice looks at; the product with 10,000 candidates stays below a second
AHEAD = 5  # batches that are chosen with care; by then a new model has ordered everything anew
BATCH = 100  # answers until the next training, where no trigger counts them


def finish(scoring: ScoringPass, plan: ScoringPlan, parts: Sequence[Thinned], seconds: Mapping[str, float]) -> None:
    """Merge exactly, choose, and swap the frontier, unless a newer pass was faster."""
    project, clock = plan.project, _Clock(seconds)
    strategy = plan.strategy
    best = acquisition.merge(
        [p.candidates for p in parts], keep=strategy.keep, seed=plan.seed, per_class=strategy.per_class
    )
    clock.step("merge")
    best = with_vectors(plan, best)
    sentences = [plan.sentence]
    if Need.VECTORS in strategy.needs and best.vectors is None:
        sentences.append("Likeness is not used yet: vectors are being made.")
    labeled = (
        labeled_of(plan)
        if best.vectors is not None
        else LabeledVectors(np.empty((0, 0), np.float32), np.empty(0, np.int64))
    )
    clock.step("gather")
    batch = batch_of(project)
    chosen = acquisition.choose(
        strategy, best, labeled, wanted=min(AHEAD * batch, DEPTH[Lane.ACTIVE]), batch=batch, seed=plan.seed
    )
    clock.step("choose")
    pool_size = open_count(project.pk)
    missing = max(pool_size - sum(p.scored for p in parts), 0)
    if missing:
        sentences.append(f"{count(missing, 'example')} of the pool could not be looked at yet.")
    picks = _explained(plan, _filled_up(chosen, best))
    clock.step("explain")
    origin = Origin(
        strategy=plan.strategy.name,
        pool_size=pool_size,
        run_number=scoring.run_number,
        encoder=plan.encoder,
        near_duplicates=chosen.near_duplicates + chosen.like_skipped,
        unscored=missing + sum(p.unusable for p in parts),
        sentence=" ".join(filter(None, sentences)),
        seconds=clock.steps,
        as_of=scoring.requested_at,
    )
    at = timezone.now()
    if scoring_finish(scoring=scoring, picks=picks, origin=origin, at=at):
        frontier_refill(project=project, at=at, seed=plan.seed)
    if vectors_lacking(project.pk, [plan.encoder]):
        ask(Job.EMBED, project.pk)


def with_vectors(plan: ScoringPlan, candidates: Candidates) -> Candidates:
    """Vectors (m, dim) of length 1 beside the candidates, zeros where one has none; as they are where none exists."""
    if candidates.vectors is not None or not len(candidates):
        return candidates
    vectors, found = vectors_at(plan.project.pk, plan.encoder, candidates.ids)
    return candidates.with_vectors(vectors) if found.any() else candidates


def labeled_of(plan: ScoringPlan) -> LabeledVectors:
    """The newest labels outside the holdout and the newest skips, with their vectors."""
    names = plan.bundle.labels if plan.bundle else schema_of(plan.project).names
    index = {name: i for i, name in enumerate(names)}
    seen = [(pk, index.get(name, -1) if name else -1) for pk, name in newest_seen(plan.project, SEEN)]
    ids, classes = np.array([pk for pk, _ in seen], np.int64), np.array([c for _, c in seen], np.int64)
    vectors, found = vectors_at(plan.project.pk, plan.encoder, ids)
    return LabeledVectors(vectors[found], classes[found])


def batch_of(project: Project) -> int:
    """How many answers are expected before the next training, as far as the lane reaches."""
    return min(trigger_of(project).new_labels or BATCH, DEPTH[Lane.ACTIVE])


def _filled_up(chosen: Candidates, best: Candidates) -> Candidates:
    """What was chosen, then the rest of the shortlist as it stands, down to the depth of the lane."""
    places = np.argsort(best.ids, kind="stable")
    first = places[np.searchsorted(best.ids, chosen.ids, sorter=places)]
    rest = np.flatnonzero(~np.isin(best.ids, chosen.ids))
    return best.take(np.concatenate([first, rest])[: DEPTH[Lane.ACTIVE]])


def _explained(plan: ScoringPlan, chosen: Candidates) -> list[Scored]:
    """Each pick with its reason and what the desk may suggest; a model is asked where the strategy did not."""
    rows = chosen.probabilities
    words = plan.bundle is not None and plan.bundle.reads_words  # the pool was scored by vectors alone
    if (rows is None or words) and plan.bundle is not None and len(chosen):
        rows = predict(plan.bundle, rows_of(plan.project, chosen.ids, encoder=plan.bundle.encoder))
    name = plan.strategy.name
    if rows is None or plan.bundle is None:
        return [Scored(int(i), acquisition.reason_of(name, None)) for i in chosen.ids]
    suggestion = plan.bundle.learner.outputs.suggestion
    return [
        Scored(int(i), {**acquisition.reason_of(name, row), **suggestion(row, plan.bundle.labels)})
        for i, row in zip(chosen.ids, rows, strict=True)
    ]


class _Clock:
    """Seconds by step, since the last step or the start."""

    def __init__(self, before: Mapping[str, float]) -> None:
        self.steps = {name: round(s, 4) for name, s in before.items()}
        self._last = time.perf_counter()

    def step(self, name: str) -> None:
        now = time.perf_counter()
        self.steps[name], self._last = round(now - self._last, 4), now

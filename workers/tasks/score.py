"""Score the pool with the newest model and swap the active lane's order in one step."""

from collections.abc import Iterator, Sequence

import numpy as np
from celery import shared_task
from django.utils import timezone
from numpy.typing import NDArray

from apps.datasets.models import Example
from apps.evaluation.models import Outcome
from apps.labeling.models import Lane
from apps.labeling.services.frontier import DEPTH, Scored, frontier_refill, frontier_swap
from apps.rules import acquisition
from apps.training.jobs import Job
from apps.training.models import Run, RunState
from workers.tasks.bundles import bundle_at
from workers.tasks.rows import rows_of
from workers.training.score import score as score_batches

BATCH = 4096  # examples fetched at once
NEAREST = 12  # labels offered as buttons where a schema has more


@shared_task(name=Job.SCORE)
def score(run_id: int) -> None:
    """Skipped when a newer model has scored or will: its own job follows its verdict."""
    run = Run.objects.select_related("project").get(pk=run_id)
    project, at = run.project, timezone.now()
    newer = Run.objects.filter(project=project, state=RunState.COMPLETED, number__gt=run.number)
    if newer.exclude(report__outcome=Outcome.FAIL).exists():
        return
    bundle = bundle_at(run.artifact_url)
    pool = list(
        Example.objects.filter(project=project, holdout=False, label=None, set_aside=None).values_list("pk", flat=True)
    )
    if not pool:
        frontier_swap(project=project, picks=[], strategy=project.strategy, run_number=run.number, pool_size=0, at=at)
        return

    def batches() -> Iterator[tuple[Sequence[int], object]]:
        for start in range(0, len(pool), BATCH):
            ids = pool[start : start + BATCH]
            yield ids, rows_of(project, ids)

    probabilities = np.concatenate([p for _, p in score_batches(bundle, batches())])  # type: ignore[arg-type]
    strategy = acquisition.strategy_named("margin")
    scores = acquisition.Scores(np.array(pool, np.int64), probabilities)
    picks = acquisition.shortlist(strategy.priority, scores, keep=DEPTH[Lane.ACTIVE], seed=run.number)
    assert picks.probabilities is not None
    scored = [
        Scored(int(i), {**acquisition.reason_of(strategy.name, row), **_help(row, bundle.labels)})
        for i, row in zip(picks.ids, picks.probabilities, strict=True)
    ]
    frontier_swap(
        project=project, picks=scored, strategy=project.strategy, run_number=run.number, pool_size=len(pool), at=at
    )
    frontier_refill(project=project, at=at, seed=run.number)


def _help(row: NDArray[np.float32], labels: Sequence[str]) -> dict[str, object]:
    """What the labeling screen may show: the guess, and the nearest labels in the order of the alphabet."""
    if not np.isfinite(row).all():
        return {}
    order = np.argsort(-row)
    nearest = sorted((labels[int(i)] for i in order[:NEAREST]), key=str.casefold) if len(labels) > NEAREST else []
    return {
        "suggestion": labels[int(order[0])],
        "suggestion_confidence": round(float(row[order[0]]), 4),
        "nearest": nearest,
    }

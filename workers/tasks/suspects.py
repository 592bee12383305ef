"""Labels that may be wrong, by confident learning on out-of-sample probabilities: fetch, compute, record."""

import logging
from dataclasses import dataclass

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.labeling.encoders import encoder_of
from apps.labeling.settled import labels_to_doubt, suspects_settled, suspects_waiting
from apps.projects import task_types
from apps.projects.models import Project
from apps.quality.services import DOUBTED, Doubt, suspects_record
from apps.rules.sentences import sentence
from apps.rules.words import count
from apps.training.models import Run, RunState
from apps.training.selectors import run_given
from apps.work.jobs import task
from apps.work.names import Job
from workers.tasks.rows import vectors_whole
from workers.training.doubts.confident import Judged, judged_apart

logger = logging.getLogger(__name__)
LEAST_ROWS, LEAST_CLASS = 50, 5  # below it a fold has a class that it never saw
MOST_ROWS = 20_000  # newest labels; the head is fitted five times, a minute at 100,000
MOST_SHARE, MOST = 0.02, 200  # of the labels, and in all: what a team can look at again before the next run
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """Single labels outside the holdout: ids (n,), classes (n,) as places in `label_ids`, `open` (n,) may be doubted."""

    ids: Ids
    classes: Ids
    open: NDArray[np.bool_]
    label_ids: tuple[int, ...]


@task(Job.SUSPECTS)
def suspects(run_id: int) -> None:
    """Twice does no harm: an example is doubted once at a time."""
    run = run_given(run_id)
    task = task_types.get(run.project.task_type)
    if run.state == RunState.COMPLETED and task.learns and not task.structured:
        suspects_find(run)


def suspects_find(run: Run) -> int:
    project = run.project
    labels = _labels(project)
    if (why := _too_little(labels)) or labels is None:
        logger.info("%s: %s", project, why)
        return 0
    vectors = vectors_whole(project, encoder_of(project), labels.ids)
    found = doubted(labels, judged_apart(vectors, labels.classes, seed=run.seed))
    room = max(min(round(MOST_SHARE * len(labels.ids)), MOST) - suspects_waiting(project), 0)
    words = sentence(
        "Run {number} disagrees with {labels} of {all:,}; {examples} to a second look, the most doubtful first",
        number=run.number,
        labels=count(len(found), "label"),
        all=len(labels.ids),
        examples=count(min(len(found), room), "example"),
    )
    made = suspects_record(
        project=project, run_number=run.number, doubts=found[:room], sentence=words, at=timezone.now()
    )
    return len(made)


def _labels(project: Project) -> Labels:
    """Copies are left out: one in another fold would tell the answer. Rare labels too: no fold could learn them."""
    rows, looked_at = labels_to_doubt(project, MOST_ROWS), suspects_settled(project)
    times = {label: sum(row[1] == label for row in rows) for label in {row[1] for row in rows}}
    kept = [row for row in rows if times[row[1]] >= LEAST_CLASS]
    label_ids = tuple(sorted({row[1] for row in kept}))
    return Labels(
        np.array([row[0] for row in kept], np.int64),
        np.array([label_ids.index(row[1]) for row in kept], np.int64),
        np.array([row[2] in DOUBTED and row[0] not in looked_at for row in kept], bool),
        label_ids,
    )


def _too_little(labels: Labels) -> str:
    if len(labels.ids) < LEAST_ROWS:
        return f"too few labels to doubt any: {len(labels.ids)} of {LEAST_ROWS}"
    return "" if len(labels.label_ids) > 1 else "one label only, so no other can be expected"


def doubted(labels: Labels, found: Judged) -> list[Doubt]:
    """The lowest self-confidence first."""
    return [
        Doubt(
            int(labels.ids[i]),
            labels.label_ids[labels.classes[i]],
            labels.label_ids[found.expected[i]],
            float(found.quality[i]),
        )
        for i in found.order
        if labels.open[i] and found.expected[i] != labels.classes[i]
    ]

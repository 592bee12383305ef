"""Let the champion label what the holdout proves it is sure of: fetch, compute, record."""

import logging

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.evaluation.selectors import predictions_of
from apps.integrations.ports import Unavailable
from apps.labeling.selectors import auto_labeling_of
from apps.labeling.services.auto_labels import AutoLabelsGiven, auto_batch_give, auto_labeling_found
from apps.labeling.services.frontier import open_ids
from apps.projects.models import Project
from apps.projects.selectors import project_of
from apps.releases.selectors import champion_of
from apps.rules import autolabel
from apps.rules.sentences import sentence
from apps.rules.words import count, percent
from apps.work.jobs import task
from apps.work.names import Job
from workers.tasks.bundles import bundle_today
from workers.tasks.rows import rows_of
from workers.training.models.bundle import Bundle, BundleUnreadable, predict

logger = logging.getLogger(__name__)
BATCH = 4096  # examples fetched at once
Ids = NDArray[np.int64]


@task(Job.AUTO_LABEL)
def auto_label(project_id: int) -> None:
    """Twice does no harm: what is labeled is not open any more."""
    project = project_of(project_id)
    at, settings, champion = timezone.now(), auto_labeling_of(project), champion_of(project)
    if not settings.enabled or champion is None or project.archived_at is not None:
        return
    try:
        said, bundle = predictions_of(champion.report), bundle_today(champion.run)
    except (Unavailable, BundleUnreadable) as lost:
        auto_labeling_found(
            project=project,
            sentence=sentence("v{number} cannot be asked: {lost}", number=champion.number, lost=lost),
            at=at,
        )
        return
    correct = np.array([t == p for t, p in zip(said.truth, said.predicted, strict=True)], bool)
    found = autolabel.threshold(np.array(said.confidence, float), correct, target=settings.target_precision)
    if found.value is None:
        auto_labeling_found(
            project=project,
            sentence=sentence("v{number} labels nothing: {sentence}", number=champion.number, sentence=found.sentence),
            at=at,
        )
        return
    given = sure_of(project, bundle, found.value)
    batch = auto_batch_give(
        project=project,
        run_number=champion.run.number,
        threshold=found,
        given=given,
        at=timezone.now(),
        seed=champion.run.pk,
    )
    told = (
        sentence(
            "v{number} labeled {examples}, from a confidence of {value} on.",
            number=champion.number,
            examples=count(batch.labels, "example"),
            value=percent(found.value, 1),
        )
        if batch
        else sentence(
            "v{number} labels nothing: no open example reaches a confidence of {value}.",
            number=champion.number,
            value=percent(found.value, 1),
        )
    )
    auto_labeling_found(
        project=project, sentence=sentence("{told} {sentence}", told=told, sentence=found.sentence), at=at
    )


def sure_of(project: Project, bundle: Bundle, threshold: float) -> AutoLabelsGiven:
    """Every open example outside the holdout that the model is at least so sure of."""
    pool = open_ids(project.pk)
    kept: list[tuple[Ids, Ids, NDArray[np.float32]]] = []
    for start in range(0, len(pool), BATCH):
        ids = pool[start : start + BATCH]
        probabilities = predict(bundle, rows_of(project, ids, encoder=bundle.encoder))
        usable = np.isfinite(probabilities).all(axis=1)
        places, confidence = bundle.learner.outputs.top(np.nan_to_num(probabilities))
        sure = usable & (confidence >= threshold)
        kept.append((ids[sure], places[sure], confidence[sure]))
    ids, places, confidence = (np.concatenate(column) for column in zip(*kept, strict=True)) if kept else _nothing()
    return AutoLabelsGiven(ids, places, confidence, bundle.labels)


def _nothing() -> tuple[Ids, Ids, NDArray[np.float32]]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)

"""Measure what choosing was worth: random against active on the same holdout, agreement with the model before, coverage."""

import contextlib
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.evaluation.selectors import predictions_of, reports_until
from apps.evaluation.services import LearningPoint, learning_record
from apps.integrations.ports import Unavailable
from apps.labeling.encoders import encoder_of
from apps.labeling.models import LabelSource, Lane
from apps.labeling.settled import SettledLabels, lanes_of_labels, settled, unlabeled_sample
from apps.projects.models import Project
from apps.rules.lift import LearningCurve, lift, resampled
from apps.rules.stopping import Agreement, stop_agreement
from apps.training.models import Run, RunState
from apps.training.selectors import run_given
from apps.work.jobs import task
from apps.work.names import Job
from workers.tasks.bundles import bundle_at
from workers.tasks.rows import rows_of, vectors_whole
from workers.training.doubts.probe import probe
from workers.training.models.bundle import predict

POINTS, LEAST = 10, 10  # probes a curve at most, labels of its first at least
BEYOND = 3  # the active curve is followed up to so many times the random lane's labels, or there is nothing to compare
BASE_MOST = 5000  # imported labels that both curves start from
MODELS = 5  # that the curve of the project's own models goes back: the older, the fewer holdout rows all were judged on
STOP_SET = 2000  # unlabeled examples on which two models are compared
Ids = NDArray[np.int64]


@task(Job.MEASURE)
def measure(run_id: int) -> None:
    run = run_given(run_id)
    if run.state == RunState.COMPLETED and not hasattr(run, "learning"):
        measure_run(run)


def measure_run(run: Run) -> None:
    """Fetch, compute, record. Safe to do twice: the first record stays."""
    began, project, names = time.perf_counter(), run.project, list(run.label_names)
    holdout, base = settled(project, names, held=True), settled(project, names, source=LabelSource.IMPORTED)
    lanes = {lane: settled(project, names, lane=lane) for lane in (Lane.RANDOM, Lane.ACTIVE)}
    base = SettledLabels(base.ids[:BASE_MOST], base.classes[:BASE_MOST])
    most = max(BEYOND * len(lanes[Lane.RANDOM]), 2 * LEAST)
    random = _curve(project, base, lanes[Lane.RANDOM], holdout, len(names), most)
    active = _curve(project, base, lanes[Lane.ACTIVE], holdout, len(names), most)
    learning_record(
        run=run,
        holdout_rows=len(holdout),
        base_labels=len(base),
        random=_points(random, run.seed),
        active=_points(active, run.seed),
        lift=lift(random, active, seed=run.seed),
        agreement=_agreement(run),
        curve=models_curve(run),
        coverage=_coverage(project, names),
        seconds=time.perf_counter() - began,
        at=timezone.now(),
    )


def _curve(
    project: Project, base: SettledLabels, lane: SettledLabels, holdout: SettledLabels, classes: int, most: int
) -> LearningCurve:
    """Probes on growing prefixes of one lane: which holdout rows each answers right, (points, rows)."""
    sizes = _sizes(min(len(lane), most))
    if not len(sizes) or not len(holdout):
        return LearningCurve(np.empty(0, np.int64), np.empty((0, len(holdout)), bool))
    encoder = encoder_of(project)
    every = vectors_whole(project, encoder, np.concatenate([base.ids, lane.ids[: sizes[-1]], holdout.ids]))
    asked, known = every[-len(holdout) :], every[: -len(holdout)]
    truth = np.concatenate([base.classes, lane.classes])
    right = []
    for size in sizes:
        rows = len(base) + int(size)
        right.append(probe(known[:rows], truth[:rows], asked, classes) == holdout.classes)
    return LearningCurve(sizes, np.array(right))


def _sizes(n: int) -> Ids:
    """From LEAST to n in equal steps of the logarithm, n itself included."""
    if n < LEAST:
        return np.empty(0, np.int64)
    return np.unique(np.round(np.geomspace(LEAST, n, POINTS)).astype(np.int64))


def _points(curve: LearningCurve, seed: int) -> list[LearningPoint]:
    if not len(curve.labels):
        return []
    (drawn,) = resampled((curve,), seed=seed, draws=500)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [
        LearningPoint(int(n), float(score), float(lo), float(hi))
        for n, score, lo, hi in zip(curve.labels, curve.scores, low, high, strict=True)
    ]


def models_curve(run: Run) -> LearningCurve:
    """The last models on the holdout rows that all of them were judged on, by the newest truth; oldest first.

    Of several models with equally many labels the newest stands for all.
    """
    found: dict[int, dict[int, tuple[str, str]]] = {}
    for report in reversed(reports_until(run, MODELS)):
        with contextlib.suppress(Unavailable):
            said = predictions_of(report)
            found[report.run.labels] = dict(
                zip(said.example_ids, zip(said.truth, said.predicted, strict=True), strict=True)
            )
    labels = sorted(found)
    if not labels:
        return LearningCurve(np.empty(0, np.int64), np.empty((0, 0), bool))
    common = sorted(set.intersection(*(set(said) for said in found.values())))
    truth = found[max(found)]
    right = [[found[n][i][1] == truth[i][0] for i in common] for n in labels]
    return LearningCurve(np.array(labels, np.int64), np.array(right, bool).reshape(len(labels), len(common)))


def _agreement(run: Run) -> Agreement:
    """Kappa of this model and the one before on the same unlabeled examples, chosen by a hash of their ids."""
    before = next((r for r in reports_until(run, MODELS) if r.run_id != run.pk), None)
    if before is None:
        return Agreement(None, None, 0, reason="There is no model before this one to agree with.")
    if list(before.run.label_names) != list(run.label_names):
        return Agreement(None, None, 0, reason="The model before knew other labels.")
    ids = unlabeled_sample(run.project, STOP_SET)
    said = []
    for each in (before.run, run):
        bundle = bundle_at(each.artifact_url)
        said.append(predict(bundle, rows_of(run.project, ids, encoder=bundle.encoder)))
    usable = np.isfinite(said[0]).all(axis=1) & np.isfinite(said[1]).all(axis=1)
    found = [probabilities[usable].argmax(axis=1) for probabilities in said]
    return stop_agreement(found[0], found[1], len(run.label_names))


def _coverage(project: Project, names: Sequence[str]) -> list[dict[str, str | int]]:
    """Labels of each class by the lane that asked for them, outside the holdout; copies and imports count as other."""
    rows = lanes_of_labels(project)
    counted = Counter((name, lane if source == LabelSource.CONSENSUS else "") for name, lane, source in rows)
    by_lane = {lane: {n: counted.get((n, lane), 0) for n in names} for lane in (Lane.ACTIVE, Lane.RANDOM)}
    total: Counter[str] = Counter()
    for (name, _), times in counted.items():
        total[name] += times
    return [
        {
            "label": name,
            "active": by_lane[Lane.ACTIVE][name],
            "random": by_lane[Lane.RANDOM][name],
            "other": total[name] - by_lane[Lane.ACTIVE][name] - by_lane[Lane.RANDOM][name],
        }
        for name in names
    ]

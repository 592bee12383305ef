"""Judge a completed run: candidate and champion on the same holdout, the gates' verdict, a numbered model, a new queue."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.datasets.versions import VersionRow, version_rows
from apps.evaluation.gates.policies import GATE_POLICY
from apps.evaluation.models import Outcome, Report
from apps.evaluation.services import HoldoutPredictions, report_record
from apps.integrations.ports import Unavailable
from apps.projects import task_types
from apps.projects.policies.selectors import policy_newest, policy_read
from apps.projects.selectors import schema_of
from apps.releases.selectors import champion_of
from apps.releases.services import candidate_register
from apps.rules import gates, metrics
from apps.rules.sentences import parts_of
from apps.training.models import Run, RunKind, RunState
from apps.training.selectors import run_given
from apps.work.jobs import ask, task
from apps.work.names import Job
from workers.tasks.alarm_slice import slice_gate
from workers.tasks.bundles import bundle_at
from workers.tasks.evidence import evidence_read
from workers.tasks.gap import gap_measure
from workers.tasks.reproduce import compare_run
from workers.tasks.rows import rows_of
from workers.training.learners import Outputs, learner_for
from workers.training.learners.outputs import margins
from workers.training.models.bundle import Bundle, BundleUnreadable, predict

logger = logging.getLogger(__name__)
Floats = NDArray[np.floating]


@task(Job.EVALUATE)
def evaluate(run_id: int) -> None:
    run = run_given(run_id)
    if run.state == RunState.COMPLETED:
        compare_run(run) if run.reproduces_id else judge_run(run)


def judge_run(run: Run) -> Report:
    """Measure, decide, register; then ask for a new order of the queue. Safe to do twice."""
    started_at = timezone.now()
    assert run.dataset_version is not None
    versions = version_rows(run.dataset_version)
    holdout = [r for r in versions if r.holdout]
    champion, policy = champion_of(run.project), policy_newest(GATE_POLICY, run.project)
    baseline = champion.run if champion and champion.run_id != run.pk else None
    names: Sequence[str] = run.label_names
    candidate, load_error = _load(run)
    mine = _predict(candidate, run, holdout, names)
    whole = _readable(candidate, run, holdout, mine)
    holdout, mine = [row for row, kept in zip(holdout, whole, strict=True) if kept], mine[whole]
    truth = np.array([names.index(r.label) for r in holdout], np.int64)
    standing = _load(baseline)[0] if baseline else None
    theirs = _predict(standing, run, holdout, names) if baseline else None

    outputs = learner_for(task_types.get(run.project.task_type)).outputs
    measures = outputs.measure(truth, mine, seed=run.seed, n_classes=len(names))
    differences = outputs.compare(truth, mine, theirs, seed=run.seed) if theirs is not None else None
    places, confidence = outputs.top(mine)
    judging = policy_read(GATE_POLICY, policy)
    verdict = gates.judge(
        gates.Evidence(
            loaded=candidate is not None,
            finite=bool(np.isfinite(mine).all()),
            labels=schema_of(run.project).today(names),
            n_holdout=len(holdout),
            accuracy=measures.accuracy,
            majority_rate=measures.majority_rate,
            load_error=load_error,
            champion_labels=schema_of(run.project).today(baseline.label_names) if baseline else None,
            accuracy_difference=differences["accuracy"] if differences else None,
            log_loss_difference=differences["log_loss"] if differences else None,
            metrics={name: getattr(measures, name) for name in metrics.NAMES},
            differences=differences or {},
            **evidence_read(judging, run, versions, holdout, truth, mine, theirs),
        ),
        judging,
        slice_gate(run, candidate, standing),
    )
    report = report_record(
        run=run,
        baseline_run=baseline,
        started_at=started_at,
        label_names=names,
        metrics=_named(measures),
        baseline_metrics=_named(outputs.measure(truth, theirs, seed=run.seed, n_classes=len(names)))
        if theirs is not None
        else None,
        differences={name: asdict(d) for name, d in differences.items()} if differences else None,
        confusion=measures.confusion.tolist(),
        per_class=_per_class(measures.confusion, names),
        outcome=Outcome(verdict.outcome),
        gates=[{**asdict(g), "outcome": str(g.outcome), "parts": parts_of(g.reason)} for g in verdict.gates],
        predictions=HoldoutPredictions(
            [r.example_id for r in holdout],
            [r.label for r in holdout],
            [names[int(i)] for i in places],
            [float(p) for p in confidence],
            *_champion_said(outputs, theirs, names),
            margin=margins(mine) or (),
        ),
        at=timezone.now(),
        gate_policy=policy,
    )
    candidate_register(run=run, report=report, at=timezone.now())
    if run.kind == RunKind.FULL:
        gap_measure(run, [r.example_id for r in holdout], truth, mine)
    if report.outcome != Outcome.FAIL:
        _ask(Job.SCORE, run.project_id)
    _ask(Job.MEASURE, run.pk)
    _ask(Job.SUSPECTS, run.pk)
    return report


def _ask(job: Job, subject_id: int) -> None:
    """Without Redis a sweep asks again."""
    ask(job, subject_id)


def _load(run: Run) -> tuple[Bundle | None, str]:
    try:
        return bundle_at(run.artifact_url), ""
    except (BundleUnreadable, Unavailable) as broken:
        return None, str(broken)


def _readable(bundle: Bundle | None, run: Run, holdout: Sequence[VersionRow], found: Floats) -> NDArray[np.bool_]:
    """(n,) without examples whose content is broken: no model can be judged by them. A model's own NaN stays."""
    whole: NDArray[np.bool_] = np.ones(len(holdout), bool)
    if bundle is None or bundle.learner.reads_vectors:
        return whole
    for place in np.flatnonzero(~np.isfinite(found).all(axis=1)).tolist():
        row = rows_of(run.project, [holdout[place].example_id])
        whole[place] = bool(bundle.preprocessor.tensor(row).isfinite().all())
    if not whole.all():
        logger.warning("%s: %d examples of the holdout cannot be read and judge nothing", run, int((~whole).sum()))
    return whole


def _predict(bundle: Bundle | None, run: Run, holdout: Sequence[VersionRow], names: Sequence[str]) -> Floats:
    """Probabilities (n, classes) in the order of `names`; not finite where the model could not be loaded."""
    if bundle is None:
        return np.full((len(holdout), len(names)), np.nan, np.float32)
    if not holdout:
        return np.zeros((0, len(names)), np.float32)
    found = predict(bundle, rows_of(run.project, [r.example_id for r in holdout], encoder=bundle.encoder))
    today = schema_of(run.project).today  # either may know a label by the name that it had
    return metrics.align(found, today(bundle.labels), today(names))


def _champion_said(outputs: Outputs, theirs: Floats | None, names: Sequence[str]) -> tuple[list[str], list[float]]:
    """Its answers and how sure it was of each; nothing where there is no champion, or it cannot be read."""
    if theirs is None or not np.isfinite(theirs).all():
        return [], []
    places, confidence = outputs.top(theirs)
    return [names[int(i)] for i in places], [float(p) for p in confidence]


def _named(measures: metrics.Measures) -> dict[str, Any]:
    named = {name: asdict(getattr(measures, name)) for name in metrics.NAMES}
    return named | {"majority_rate": measures.majority_rate}


def _per_class(confusion: NDArray[np.int64], names: Sequence[str]) -> list[dict[str, Any]]:
    """Recall and precision of each label that the holdout has; None where nothing stands below the line."""
    support, said, right = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    return [
        {
            "label": name,
            "support": int(support[i]),
            "recall": float(right[i] / support[i]) if support[i] else None,
            "precision": float(right[i] / said[i]) if said[i] else None,
        }
        for i, name in enumerate(names)
    ]

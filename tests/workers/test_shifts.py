"""What a run that an alarm started takes of the old labels, by its kind of shift: with real models, from the log to the report."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.evaluation.models import Report
from apps.labeling.models import DriftExample, Label
from apps.loop import services as loop
from apps.loop.mending.policies import ALARM_POLICY
from apps.loop.mending.services import link_do
from apps.loop.models import Mending, MendingLink, RunShift
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import Alert, MonitorReading, ReadingOutcome
from apps.projects.models import Project
from apps.projects.policies.services import policy_set
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.rules.mending import alarm_policy_of
from apps.training.models import Run, RunState
from apps.training.services.reproductions import run_reproduce
from tests.workers.conftest import JobsAtOnce
from workers.tasks.bundles import bundle_today
from workers.tasks.shifts import old_labels
from workers.training.models.bundle import predict

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
Row = dict[str, float]


def rows(n: int, *, seed: int, low: float = 0.0, high: float = 1.0) -> list[Row]:
    rng = np.random.default_rng(seed)
    drawn = np.column_stack([rng.uniform(low, high, n), rng.uniform(0, 1, n)]).round(3)
    return [{"a": a, "b": b} for a, b in drawn.tolist()]


def was(row: Row) -> str:
    return "yes" if row["b"] > 0.5 else "no"


def has_become(row: Row) -> str:
    """On the right of 0.6 the other way round."""
    return was(row) if row["a"] < 0.6 else "no" if row["b"] > 0.5 else "yes"


@pytest.fixture
def table(make_project: Callable[..., Project], jobs: JobsAtOnce, take: Any, lin: User) -> Project:
    """300 rows labeled long ago, and a model of them that serves."""
    project = make_project("tabular-classification", ("no", "yes"), name="Rows", holdout_share=0.3)
    project.holdout_salt = "the same rows in every run"
    project.save(update_fields=["holdout_salt"])
    take(project, [{"id": f"r{i}", **row, "label": was(row)} for i, row in enumerate(rows(300, seed=0))])
    Label.objects.filter(project=project).update(resolved_at=timezone.now() - 9 * DAY)
    run = loop.run_start_now(project=project, kind="full", by=lin, at=timezone.now())
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED, run.error
    version = ModelVersion.objects.get(run=run)
    model_promote(version=version, reason="The first one.", by=lin, at=timezone.now() - 2 * DAY)
    return project


def alarmed(
    project: Project, asked: list[Row], truth: Callable[[Row], str], *, kind: str, moved: list[str], by: User
) -> Run:
    """The alarm of these requests, a lane of 60 of them labeled, and its run, which a worker has trained."""
    at = timezone.now()
    first = ModelVersion.objects.get(project=project)
    said = predict(bundle_today(first.run), asked).argmax(axis=1)
    names = bundle_today(first.run).labels
    logged = [
        LoggedPrediction(
            project.pk, f"q{i}", at - timedelta(minutes=1), 1, names[int(k)], 0.9, 1.0, asked=AskedRow(row)
        )
        for i, (row, k) in enumerate(zip(asked, said, strict=True))
    ]
    predictions_record(rows=logged)
    alert = Alert.objects.create(
        project=project, kind=kind, title="Drift", detail="It moved.", opened_at=at, last_seen_at=at, severity="alarms",
        monitors=moved, since=at - DAY, until=at,
    )  # fmt: skip
    MonitorReading.objects.create(
        project=project, monitor="m", type="column-drift", policy_number=1, model_number=1, since=at - DAY, until=at, at=at,
        outcome=ReadingOutcome.RAISED, sentence="Moved.", features=[{"name": n, "drifted": True} for n in moved], alert=alert,
    )  # fmt: skip
    policy = alarm_policy_of({"rollback": {"mode": "off"}, "lane": {"examples": 60}, "retrain": {"labels": 60}})
    policy_set(ALARM_POLICY, project=project, policy=policy, by=by, at=at)
    link_do(project=project, alert_id=alert.pk, link=MendingLink.LANE, by=by, at=at)
    labels = {label.name: label for label in project.labels.all()}
    for example in Example.objects.filter(drift__alert_number=alert.pk):
        name = truth(example.fields["features"])
        Label.objects.create(
            project=project, example=example, label=labels[name], source="consensus", holdout=False, lane="drift",
            shown_at=at, resolved_at=at,
        )  # fmt: skip
    link_do(project=project, alert_id=alert.pk, link=MendingLink.RETRAIN, by=by, at=timezone.now())
    run = Mending.objects.get(pk=alert.pk).run
    assert run is not None
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED, run.error
    return run


def right(run: Run, asked: list[Row], truth: Callable[[Row], str]) -> float:
    bundle = bundle_today(run)
    said = predict(bundle, asked).argmax(axis=1)
    return float(np.mean([bundle.labels[int(k)] == truth(row) for k, row in zip(said, asked, strict=True)]))


def test_after_concept_drift_old_rows_of_the_slice_are_left_out_and_the_report_says_so(
    table: Project, lin: User
) -> None:
    run = alarmed(table, rows(200, seed=1), has_become, kind="loss", moved=[], by=lin)
    shift = RunShift.objects.get(run=run)
    assert (shift.kind, run.kind) == ("concept", "full") and shift.counts_url
    old = old_labels(run, [])
    assert old is not None and old.counts is not None and set(old.counts.values()) == {0.0}
    left_out = [Example.objects.get(pk=pk).fields["features"] for pk in old.counts]
    assert len(left_out) > 40 and np.mean([row["a"] > 0.55 for row in left_out]) > 0.9
    assert "old rows are left out" in run.measured["shift_words"]
    assert run.lines.filter(text__contains="old rows are left out").exists()
    assert (
        right(run, rows(300, seed=2), has_become)
        > 0.85
        > right(ModelVersion.objects.get(number=1).run, rows(300, seed=2), has_become)
    )
    gate = next(g for g in Report.objects.get(run=run).gates if g["name"] == "drifted-slice")
    assert gate["outcome"] == "pass" and "by 20 labels" in gate["reason"] and gate["blocking"]


def test_under_covariate_shift_old_rows_count_by_how_like_the_window_they_are(table: Project, lin: User) -> None:
    run = alarmed(table, rows(200, seed=1, low=0.7, high=1.3), was, kind="drift", moved=["a"], by=lin)
    old = old_labels(run, [])
    assert RunShift.objects.get(run=run).kind == "covariate" and old is not None and old.counts is not None
    stored = Example.objects.filter(pk__in=list(old.counts)).values_list("pk", "fields")
    inside = {pk for pk, fields in stored if fields["features"]["a"] > 0.75}
    weights = (
        np.array([old.counts[pk] for pk in inside]),
        np.array([w for pk, w in old.counts.items() if pk not in inside]),
    )
    assert weights[0].mean() > 2 * weights[1].mean() and weights[1].min() >= 0.19
    assert "by how like the window" in run.measured["shift_words"]


def test_a_repeated_run_counts_the_same_although_the_log_has_forgotten_the_window(
    table: Project, lin: User, jobs: JobsAtOnce
) -> None:
    run = alarmed(table, rows(200, seed=1), has_become, kind="loss", moved=[], by=lin)
    Alert.objects.all().delete()
    assert RunShift.objects.get(run=run).mending is None
    again = run_reproduce(run=run, by=lin, at=timezone.now())
    again.refresh_from_db()
    assert again.state == RunState.COMPLETED and again.comparison is not None and again.comparison["weights_equal"]


def test_a_run_that_no_alarm_started_is_as_ever(table: Project, lin: User) -> None:
    run = Run.objects.get(project=table)
    assert old_labels(run, []) is None and "shift" not in run.measured
    assert not any(g["name"] == "drifted-slice" for g in Report.objects.get(run=run).gates)


def test_too_few_labels_to_judge_the_slice_are_told_and_block_nothing(table: Project, lin: User) -> None:
    asked = rows(24, seed=1, low=0.7, high=1.3)
    run = alarmed(table, asked, was, kind="drift", moved=["a"], by=lin)
    assert DriftExample.objects.filter(judges=True).count() < 10
    gate = next(g for g in Report.objects.get(run=run).gates if g["name"] == "drifted-slice")
    assert (gate["outcome"], gate["blocking"]) == ("inconclusive", False) and "Too few labels" in gate["reason"]

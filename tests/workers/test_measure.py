"""Each judged run measures what choosing was worth, on real digits, and the champion labels what it is sure of."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from apps.datasets.models import Example
from apps.evaluation.models import LearningReport
from apps.evaluation.selectors import learning_of
from apps.labeling.models import AutoBatch, AutoLabel, AutoLabeling, Label
from apps.labeling.services.auto_labels import auto_labeling_set
from apps.loop import services as loop
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.training.models import Run
from apps.work.names import Job
from tests.workers.at_once import JobsAtOnce
from workers.tasks.auto_label import auto_label
from workers.tasks.measure import _sizes, measure
from workers.training.doubts.probe import probe

pytestmark = pytest.mark.django_db(transaction=True)


def in_lanes(project: Project) -> None:
    """As if a third of the labels had come through the random lane and the rest through the active one."""
    labels = list(Label.objects.filter(project=project, holdout=False).order_by("pk"))
    for i, label in enumerate(labels):
        label.lane, label.source = ("random" if i % 3 == 0 else "active"), "consensus"
    Label.objects.bulk_update(labels, ["lane", "source"])


def test_a_judged_run_is_measured_once_with_both_lanes_and_the_coverage(
    digits: Project, noon: datetime, jobs: JobsAtOnce
) -> None:
    in_lanes(digits)
    run = loop.run_start_now(project=digits, kind="full", by=None, at=noon)
    assert (Job.MEASURE, (run.pk,)) in jobs.sent
    report = LearningReport.objects.get(run=run)

    random = Label.objects.filter(project=digits, lane="random", holdout=False).count()
    assert [p["labels"] for p in report.random_points][-1] == random
    first, last = report.random_points[0], report.random_points[-1]
    assert last["score"] > first["score"] + 0.1 > 0.2
    assert report.random_points[-1]["low"] < report.random_points[-1]["score"] < report.random_points[-1]["high"]
    assert report.holdout_rows == Label.objects.filter(project=digits, holdout=True).count()
    assert sum(c["random"] for c in report.coverage) == random
    assert report.agreement["reason"] == "There is no model before this one to agree with."
    assert learning_of(digits).advice.stop is None  # one model draws no curve

    measure(run.pk)
    assert LearningReport.objects.filter(run=run).count() == 1


def test_two_runs_on_the_same_labels_agree_on_the_stop_set(digits: Project, noon: datetime, jobs: JobsAtOnce) -> None:
    in_lanes(digits)
    for minutes in (0, 10):
        loop.run_start_now(project=digits, kind="full", by=None, at=noon + timedelta(minutes=minutes))
    agreement = LearningReport.objects.filter(project=digits).first().agreement
    assert agreement["kappa"] > 0.8
    assert agreement["rows"] == Example.objects.filter(project=digits, holdout=False, label=None).count() > 50


@pytest.mark.usefixtures("brief")
def test_imported_labels_are_what_both_lanes_start_from(digits: Project, noon: datetime, jobs: JobsAtOnce) -> None:
    run = loop.run_start_now(project=digits, kind="full", by=None, at=noon)
    report = LearningReport.objects.get(run=run)
    assert report.base_labels == Label.objects.filter(project=digits, holdout=False).count()
    assert (report.random_points, report.active_points) == ([], [])
    assert report.lift["saved"] is None and "lane has too few labels" in report.lift["sentence"]


@pytest.mark.usefixtures("brief")
def test_a_measurement_that_got_lost_is_asked_for_again(digits: Project, noon: datetime, jobs: JobsAtOnce) -> None:
    jobs.held.add(Job.MEASURE)
    run = loop.run_start_now(project=digits, kind="full", by=None, at=noon)
    judged_at = Run.objects.get(pk=run.pk).report.finished_at
    assert loop.measures_check(at=judged_at + timedelta(seconds=60)) == []
    assert loop.measures_check(at=judged_at + timedelta(minutes=3)) == [run.pk]
    assert loop.measures_check(at=judged_at + timedelta(minutes=31)) == []


def test_the_champion_labels_what_the_holdout_proves_it_knows(
    digits: Project, noon: datetime, jobs: JobsAtOnce, mona: object, lin: object
) -> None:
    loop.run_start_now(project=digits, kind="full", by=None, at=noon)
    version = ModelVersion.objects.get(project=digits)
    model_promote(version=version, reason="Fits.", by=lin, at=noon)
    auto_labeling_set(project=digits, enabled=True, target_precision=0.9, audit_share=0.2, by=mona, at=noon)

    assert loop.auto_labels_check(at=noon) == [digits.pk]
    batch = AutoBatch.objects.get(project=digits)
    truth = {f"d{i}": str(t) for i, t in enumerate(load_digits().target)}
    given = AutoLabel.objects.filter(batch=batch).select_related("example", "label")
    right = [truth[x.example.external_id] == x.label.name for x in given]
    assert len(right) == batch.labels > 10 and np.mean(right) > 0.9
    assert min(x.confidence for x in given) >= batch.threshold
    assert f"labeled {batch.labels}" in AutoLabeling.objects.get().sentence

    assert loop.auto_labels_check(at=noon + timedelta(hours=1)) == []
    auto_label(digits.pk)
    assert AutoBatch.objects.count() == 1


def test_a_holdout_that_proves_too_little_lets_nothing_be_labeled_and_says_how_much_it_takes(
    digits: Project, noon: datetime, jobs: JobsAtOnce, mona: object, lin: object
) -> None:
    loop.run_start_now(project=digits, kind="full", by=None, at=noon)
    model_promote(version=ModelVersion.objects.get(project=digits), reason="Fits.", by=lin, at=noon)
    auto_labeling_set(project=digits, enabled=True, target_precision=0.99, audit_share=0.05, by=mona, at=noon)
    loop.auto_labels_check(at=noon)

    assert not AutoLabel.objects.exists()
    assert "at least 299 holdout labels" in AutoLabeling.objects.get().sentence


def test_a_project_without_a_champion_or_with_it_off_is_left_alone(
    digits: Project, noon: datetime, jobs: JobsAtOnce, mona: object
) -> None:
    auto_labeling_set(project=digits, enabled=True, target_precision=0.9, audit_share=0.2, by=mona, at=noon)
    assert loop.auto_labels_check(at=noon) == []
    auto_labeling_set(project=digits, enabled=False, target_precision=0.9, audit_share=0.2, by=mona, at=noon)
    auto_label(digits.pk)
    assert AutoLabeling.objects.get().checked_at is None


def test_the_probe_answers_as_scikit_learns_logistic_regression(noon: datetime) -> None:
    found = load_digits()
    x = (found.data - found.data.mean(axis=0)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ours = probe(x[:200], found.target[:200].astype(np.int64), x[900:], 10)
    theirs = LogisticRegression(C=10, max_iter=1000).fit(x[:200], found.target[:200]).predict(x[900:])
    assert (ours == theirs).mean() > 0.99


def test_the_probe_never_answers_a_class_without_a_label(noon: datetime) -> None:
    x = np.eye(4, dtype=np.float32)
    assert set(probe(x[:2], np.array([0, 2]), x, 3)) <= {0, 2}
    assert set(probe(x[:1], np.array([2]), x, 3)) == {2}


def test_a_curve_grows_in_even_steps_up_to_all_labels() -> None:
    assert _sizes(9).tolist() == []
    assert _sizes(10).tolist() == [10]
    sizes = _sizes(500)
    assert (sizes[0], sizes[-1], len(sizes)) == (10, 500, 10)

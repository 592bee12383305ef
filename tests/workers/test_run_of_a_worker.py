"""What the torch worker does with a run: on real digits, real PostgreSQL, in this process."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.evaluation.models import Report
from apps.integrations import wiring
from apps.labeling.models import Frontier, FrontierItem, Label, Lane
from apps.loop import services as loop
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.rules import acquisition
from apps.training.models import Run, RunState
from apps.training.services.clones import copy_of, differences_now, run_clone
from apps.training.services.ownership import run_claim
from apps.training.services.runs import run_cancel
from apps.work.names import Job
from tests.workers.at_once import JobsAtOnce
from workers.tasks.train import train

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., Run]


@pytest.fixture
def start(digits: Project, lin: User) -> Start:
    def started(kind: str = "full", **more: object) -> Run:
        run = loop.run_start_now(project=digits, kind=kind, by=lin, at=timezone.now(), **more)  # type: ignore[arg-type]
        run.refresh_from_db()
        return run

    return started


def test_a_run_trains_is_judged_becomes_a_version_and_orders_the_queue(digits: Project, start: Start) -> None:
    run = start()
    assert run.state == RunState.COMPLETED
    report = Report.objects.get(run=run)
    holdout = Label.objects.filter(project=digits, holdout=True).count()
    assert report.examples == holdout > 30
    assert report.metrics["accuracy"]["value"] > 0.8
    assert (
        report.metrics["accuracy"]["low"] <= report.metrics["accuracy"]["value"] <= report.metrics["accuracy"]["high"]
    )
    assert ModelVersion.objects.get(run=run).number == 1
    assert Frontier.objects.get(project=digits).run_number == run.number
    first = FrontierItem.objects.filter(project=digits, lane=Lane.ACTIVE).order_by("rank").first()
    assert first is not None
    assert first.reason["strategy"] == acquisition.DEFAULT
    assert first.reason["suggestion"] in "0123456789"


@pytest.mark.usefixtures("brief")
def test_the_holdout_is_never_trained_on(digits: Project, start: Start) -> None:
    run = start()
    assert run.labels == Label.objects.filter(project=digits, holdout=False).count()
    assert not Label.objects.filter(project=digits, holdout=True, first_run_number__isnull=False).exists()


@pytest.mark.usefixtures("brief")
def test_a_copy_with_changes_trains_with_them_on_the_same_rows(start: Start, lin: User) -> None:
    run = start()
    copy = copy_of(run)
    changed = replace(copy, seed=5, settings={**copy.settings, "dropout": 0.5, "hidden": 24})
    made = run_clone(run=run, copy=changed, by=lin, at=timezone.now())
    made.refresh_from_db()
    assert made.state == RunState.COMPLETED, made.error
    differing = {name for name in run.recipe if run.recipe[name] != made.recipe[name]}
    assert differing == {"dropout", "hidden", "seed"} and made.recipe["seed"] == 5
    assert (made.dataset_version, made.labels) == (run.dataset_version, run.labels)
    assert [each.name for each in differences_now(made)] == ["seed", "hidden", "dropout"]
    assert ModelVersion.objects.filter(run=made).exists()


@pytest.mark.usefixtures("brief")
def test_a_job_delivered_twice_trains_once(start: Start) -> None:
    run = start()
    points, url = run.points.count(), run.artifact_url
    train(run.pk)
    run.refresh_from_db()
    assert (run.points.count(), run.artifact_url, run.attempts) == (points, url, 1)
    assert ModelVersion.objects.filter(run=run).count() == 1


@pytest.mark.usefixtures("brief")
def test_a_dead_workers_run_is_taken_over_after_its_lease_and_finishes_once(start: Start, jobs: JobsAtOnce) -> None:
    jobs.held = {Job.TRAIN}
    run = start()
    run_claim(run_id=run.pk, at=timezone.now())  # a worker takes it and dies
    train(run.pk)  # delivered again while the lease holds: nothing
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.RUNNING, 1)
    Run.objects.filter(pk=run.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    train(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.COMPLETED, 2)
    assert ModelVersion.objects.filter(run=run).count() == 1


@pytest.mark.usefixtures("brief")
def test_a_broken_checkpoint_is_passed_over_and_the_run_starts_again(start: Start, jobs: JobsAtOnce) -> None:
    jobs.held = {Job.TRAIN}
    run = start()
    Run.objects.filter(pk=run.pk).update(
        checkpoint_url=wiring.storage().write("checkpoints/broken.pt", b"not a checkpoint")
    )
    train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED
    assert run.lines.filter(text__startswith="starting again").exists()


def test_a_run_canceled_before_a_worker_takes_it_is_never_trained(start: Start, jobs: JobsAtOnce, lin: User) -> None:
    jobs.held = {Job.TRAIN}
    run = start()
    run_cancel(run=run, by=lin, at=timezone.now())
    train(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts, run.artifact_url) == (RunState.CANCELED, 0, "")


@pytest.mark.usefixtures("brief")
def test_an_incremental_run_starts_from_the_champion_and_sees_only_what_is_new(
    digits: Project, start: Start, lin: User
) -> None:
    from apps.releases.services import model_promote

    first = start()
    version = ModelVersion.objects.get(run=first)
    model_promote(version=version, reason="It is the first model of these tests.", by=lin, at=timezone.now())
    unlabeled = digits.examples.filter(label=None, holdout=False)[:10]
    rows = [(e.pk, digits.labels.all()[0]) for e in unlabeled]
    now = timezone.now()
    Label.objects.bulk_create(
        [
            Label(
                project=digits,
                example_id=pk,
                label=label,
                source="imported",
                holdout=False,
                shown_at=now,
                resolved_at=now,
            )
            for pk, label in rows
        ]
    )
    second = start("incremental")
    assert (second.state, second.base_run_id, second.new_labels) == (RunState.COMPLETED, first.pk, len(rows))
    report = Report.objects.get(run=second)
    assert report.baseline_run_id == first.pk
    assert set(report.differences) == {"accuracy", "macro_f1", "log_loss", "calibration_error"}


def test_a_bug_in_training_ends_the_run_with_its_traceback_for_engineers(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **more: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("workers.tasks.fitting.fit", broken)
    run = start()
    assert run.state == RunState.FAILED
    assert "a bug of ours" in run.error
    assert "ZeroDivisionError" in run.traceback
    assert not ModelVersion.objects.filter(run=run).exists()


def test_a_model_that_cannot_be_read_back_fails_its_gate_and_never_becomes_candidate(
    digits: Project, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.releases.selectors import candidate_of
    from workers.tasks.bundles import bundle_at

    monkeypatch.setattr("workers.tasks.train.dump", lambda bundle: b"half a model")
    bundle_at.cache_clear()
    run = start()
    report = Report.objects.get(run=run)
    assert report.outcome == "fail"
    assert next(g for g in report.gates if g["name"] == "loads")["outcome"] == "fail"
    assert candidate_of(digits) is None

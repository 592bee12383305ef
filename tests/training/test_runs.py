"""The life of a run: who may start it, who owns it, how it ends."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.audit.models import Event
from apps.errors import DomainError, Invalid
from apps.integrations import wiring
from apps.projects.models import Project
from apps.training.models import Policy, Run, RunPoint, RunPriority, RunState
from apps.training.services import ownership, reporting
from apps.training.services.runs import NotEnoughLabels, RunOpen, run_cancel, run_start, runs_sweep
from apps.training.services.turns import run_prioritize
from apps.work.names import Job
from tests.conftest import NOON
from tests.rows import Sent, labeled, progress, started, trained

S = timedelta(seconds=1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    queue = Sent([])
    monkeypatch.setattr(wiring, "jobs", queue)
    yield queue


def claimed(project: Project) -> Run:
    labeled(project)
    return ownership.run_claim(run_id=started(project).pk, at=NOON)


def test_a_project_without_labels_starts_no_run(project: Project) -> None:
    with pytest.raises(NotEnoughLabels, match="no example outside the holdout has a label"):
        started(project)
    assert not Run.objects.exists()


def test_labels_in_the_holdout_are_nothing_to_train_on(project: Project) -> None:
    labeled(project, 4, held=4)
    with pytest.raises(NotEnoughLabels):
        started(project)


def test_one_class_is_refused_by_its_name(project: Project) -> None:
    labeled(project, 10, held=0, only="ham")
    with pytest.raises(NotEnoughLabels, match="Every labeled example is “ham”"):
        started(project)
    assert not Run.objects.exists()


def test_an_unknown_kind_is_refused_with_the_known_ones(project: Project) -> None:
    with pytest.raises(Invalid, match="Known are incremental, full"):
        run_start(project=project, kind="half", trigger="", base_run=None, by=None, at=NOON)


def test_a_second_open_run_is_refused_and_the_first_stays(project: Project) -> None:
    labeled(project)
    first = started(project)
    with pytest.raises(RunOpen, match="Run 1 is queued already"):
        started(project)
    assert list(Run.objects.all()) == [first]


def test_the_job_is_sent_after_the_row_is_committed(
    project: Project, sent: Sent, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    labeled(project)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        run = started(project)
        assert sent.jobs == []
    assert sent.jobs == [(Job.TRAIN, (run.pk,))]
    run.refresh_from_db()
    assert run.sent_at == NOON


def test_two_workers_cannot_claim_one_run(project: Project) -> None:
    run = claimed(project)
    with pytest.raises(ownership.RunLost):
        ownership.run_claim(run_id=run.pk, at=NOON + S)
    run.refresh_from_db()
    assert run.attempts == 1


def test_a_run_whose_worker_died_is_taken_over_once(project: Project) -> None:
    run = claimed(project)
    late = NOON + ownership.LEASE.length + S
    taken = ownership.run_claim(run_id=run.pk, at=late)
    assert taken.attempts == 2 and taken.owner != run.owner
    with pytest.raises(ownership.RunLost):
        ownership.run_claim(run_id=run.pk, at=late + S)


def test_the_heartbeat_of_a_worker_that_was_replaced_says_so(project: Project) -> None:
    run = claimed(project)
    ownership.run_claim(run_id=run.pk, at=NOON + ownership.LEASE.length + S)
    assert run.owner is not None
    with pytest.raises(ownership.RunLost):
        ownership.run_heartbeat(run_id=run.pk, owner=run.owner, at=NOON + ownership.LEASE.length + 2 * S)


def test_a_heartbeat_keeps_the_run(project: Project) -> None:
    run = claimed(project)
    assert run.owner is not None
    ownership.run_heartbeat(run_id=run.pk, owner=run.owner, at=NOON + 10 * S)
    with pytest.raises(ownership.RunLost):
        ownership.run_claim(run_id=run.pk, at=NOON + ownership.LEASE.length + S)


def test_a_worker_that_was_replaced_writes_nothing_more(project: Project) -> None:
    run = claimed(project)
    ownership.run_claim(run_id=run.pk, at=NOON + ownership.LEASE.length + S)
    assert run.owner is not None
    with pytest.raises(ownership.RunLost):
        reporting.run_report(run_id=run.pk, owner=run.owner, report=progress(10), at=NOON)
    with pytest.raises(ownership.RunLost):
        ownership.run_complete(run_id=run.pk, owner=run.owner, artifact_url="file:///m", at=NOON)
    assert not RunPoint.objects.exists()
    assert Run.objects.get().state == RunState.RUNNING


def test_a_job_delivered_again_after_the_end_does_nothing(project: Project) -> None:
    labeled(project)
    run = trained(project)
    with pytest.raises(ownership.RunLost, match="completed"):
        ownership.run_claim(run_id=run.pk, at=NOON + timedelta(hours=2))
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.COMPLETED, 1)


def test_a_run_that_kills_its_worker_is_given_up(project: Project) -> None:
    run, at = claimed(project), NOON
    for _ in range(ownership.LEASE.most_attempts):
        at += ownership.LEASE.length + S
        run = ownership.run_claim(run_id=run.pk, at=at)
    assert run.state == RunState.FAILED
    assert "died 4 times" in run.error


def test_a_queued_run_is_canceled_at_once(project: Project, lin: User) -> None:
    labeled(project)
    run = run_cancel(run=started(project), by=lin, at=NOON)
    assert (run.state, run.finished_at) == (RunState.CANCELED, NOON)
    with pytest.raises(ownership.RunLost):
        ownership.run_claim(run_id=run.pk, at=NOON)


def test_a_running_run_hears_of_its_cancel_at_the_next_heartbeat(project: Project, lin: User) -> None:
    run = claimed(project)
    assert run.owner is not None
    assert ownership.run_heartbeat(run_id=run.pk, owner=run.owner, at=NOON) is False
    run_cancel(run=run, by=lin, at=NOON)
    assert Run.objects.get().state == RunState.RUNNING
    assert ownership.run_heartbeat(run_id=run.pk, owner=run.owner, at=NOON) is True
    assert ownership.run_canceled(run_id=run.pk, owner=run.owner, at=NOON).state == RunState.CANCELED


def test_a_cancel_of_a_dead_workers_run_needs_no_worker(project: Project, lin: User) -> None:
    run = run_cancel(run=claimed(project), by=lin, at=NOON + ownership.LEASE.length + S)
    assert run.state == RunState.CANCELED


def test_an_ended_run_cannot_be_canceled(project: Project, lin: User) -> None:
    labeled(project)
    run = trained(project)
    with pytest.raises(DomainError, match="completed already"):
        run_cancel(run=run, by=lin, at=NOON)
    assert Run.objects.get().state == RunState.COMPLETED


def test_canceling_twice_is_one_entry_in_the_audit_trail(project: Project, lin: User) -> None:
    run = claimed(project)
    run_cancel(run=run, by=lin, at=NOON)
    run_cancel(run=run, by=lin, at=NOON + S)
    assert Event.objects.filter(verb="run.canceled").count() == 1


def test_the_sweep_sends_again_what_no_worker_took(project: Project, sent: Sent) -> None:
    labeled(project)
    run = started(project)
    assert runs_sweep(at=NOON) == [run.pk]  # never sent: Redis was away at the commit
    assert runs_sweep(at=NOON + 5 * S) == []
    assert runs_sweep(at=NOON + 30 * S) == [run.pk]
    assert sent.jobs == [(Job.TRAIN, (run.pk,))] * 2


def test_the_sweep_leaves_a_run_with_a_living_worker_alone(project: Project, sent: Sent) -> None:
    run = claimed(project)
    assert runs_sweep(at=NOON + S) == []
    assert runs_sweep(at=NOON + ownership.LEASE.length + S) == [run.pk]


def test_without_redis_the_run_stays_queued(project: Project, sent: Sent) -> None:
    labeled(project)
    run, sent.away = started(project), True
    runs_sweep(at=NOON)
    run.refresh_from_db()
    assert (run.state, run.sent_at) == (RunState.QUEUED, None)


def test_a_stranger_token_owns_nothing(project: Project) -> None:
    run = claimed(project)
    with pytest.raises(ownership.RunLost):
        ownership.run_heartbeat(run_id=run.pk, owner=uuid.uuid4(), at=NOON)


def opened(project: Project, *, priority: int = RunPriority.NORMAL, at: datetime = NOON, kind: str = "full") -> Run:
    return run_start(
        project=project, kind=kind, trigger="Lin asked for it.", base_run=None, by=None, at=at, priority=priority
    )


def test_the_worker_takes_the_run_with_the_best_priority_and_then_the_oldest(
    project: Project, make_project: Callable[..., Project]
) -> None:
    other, third = make_project(name="Other"), make_project(name="Third")
    for p in (project, other, third):
        labeled(p)
    late = opened(project, priority=RunPriority.LOW)
    normal = opened(other, at=NOON + S)
    first = opened(third, at=NOON + 2 * S, priority=RunPriority.HIGH)
    taken = [ownership.run_claim(run_id=late.pk, at=NOON + 3 * S).pk for _ in range(3)]
    assert taken == [first.pk, normal.pk, late.pk]


def test_a_project_trains_as_many_runs_at_once_as_its_policy_says(project: Project) -> None:
    labeled(project)
    first, second, third = opened(project), opened(project, kind="incremental"), opened(project, kind="sweep")
    assert ownership.run_claim(run_id=second.pk, at=NOON).pk == first.pk
    with pytest.raises(ownership.RunLost, match="waits for a place"):
        ownership.run_claim(run_id=second.pk, at=NOON)
    Policy.objects.create(project=project, runs_at_once=2)
    assert ownership.run_claim(run_id=third.pk, at=NOON).pk == second.pk
    with pytest.raises(ownership.RunLost, match="waits for a place"):
        ownership.run_claim(run_id=third.pk, at=NOON)


def test_when_a_run_ends_the_next_one_is_woken_and_the_sweep_leaves_it_in_peace_until_then(
    project: Project, sent: Sent, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    labeled(project)
    first = opened(project)
    second = opened(project, kind="incremental")
    first = ownership.run_claim(run_id=first.pk, at=NOON)
    assert first.owner is not None
    assert runs_sweep(at=NOON + S) == []
    sent.jobs.clear()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        ownership.run_fail(run_id=first.pk, owner=first.owner, sentence="No.", at=NOON + S)
    assert sent.jobs == [(Job.TRAIN, (second.pk,))]
    assert runs_sweep(at=NOON + 30 * S) == [second.pk]


def test_a_waiting_run_can_be_put_first_and_a_training_one_cannot(project: Project, lin: User) -> None:
    labeled(project)
    first, second = opened(project), opened(project, kind="incremental")
    run_prioritize(run=second, priority=RunPriority.HIGH, by=lin, at=NOON)
    assert ownership.run_claim(run_id=first.pk, at=NOON).pk == second.pk
    assert Event.objects.filter(verb="run.prioritized", subject=f"run {second.number}").exists()
    with pytest.raises(DomainError, match="does not wait any more"):
        run_prioritize(run=second, priority=RunPriority.LOW, by=lin, at=NOON)
    with pytest.raises(Invalid, match="A priority is one of 1, 5, 9, not 2"):
        run_prioritize(run=first, priority=2, by=lin, at=NOON)

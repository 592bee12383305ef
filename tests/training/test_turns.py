"""Workers that ask at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import OperationalError, connection, transaction

from apps.integrations import wiring
from apps.projects.models import Project
from apps.training.models import Policy, Run, RunState
from apps.training.services.ownership import RunLost, run_claim
from apps.training.services.runs import run_start
from apps.training.services.turns import turn_take
from tests.conftest import NOON
from tests.rows import Sent, labeled

KINDS = ("full", "incremental", "fine-tune", "sweep")


def queued(project: Project) -> list[Run]:
    labeled(project)
    return [run_start(project=project, kind=kind, trigger="x", base_run=None, by=None, at=NOON) for kind in KINDS]


def asked_at_once(runs: list[Run]) -> list[int | None]:
    """Each run's message is taken by a worker of its own; what each of them got."""
    together = Barrier(len(runs))

    def ask(run: Run) -> int | None:
        try:
            together.wait(10)
            return run_claim(run_id=run.pk, at=NOON).pk
        except RunLost:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(len(runs)) as workers:
        return list(workers.map(ask, runs))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_four_workers_at_once_take_no_more_runs_than_there_are_places_and_none_twice(
    project: Project, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(wiring, "jobs", Sent([]))
    Policy.objects.create(project=project, runs_at_once=at_once)
    for _ in range(3):  # the race is a matter of milliseconds
        Run.objects.all().delete()
        got = [pk for pk in asked_at_once(queued(project)) if pk is not None]
        assert len(got) == len(set(got)) == at_once
        assert Run.objects.filter(state=RunState.RUNNING).count() == at_once


@pytest.mark.django_db
def test_a_message_whose_run_another_worker_took_wakes_its_worker_for_the_run_that_still_waits(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second message is used up for the first run, so the first must serve the second: else that waits for a sweep."""
    monkeypatch.setattr(wiring, "jobs", Sent([]))
    Policy.objects.create(project=project, runs_at_once=2)
    first, second, *_ = queued(project)
    assert run_claim(run_id=second.pk, at=NOON) == first
    assert run_claim(run_id=first.pk, at=NOON) == second
    with pytest.raises(RunLost, match="under another worker"):
        run_claim(run_id=first.pk, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_while_a_worker_counts_free_places_nobody_else_can(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that comes with a better priority meanwhile would be another row, so the run's own lock is not enough."""
    monkeypatch.setattr(wiring, "jobs", Sent([]))
    queued(project)

    def locked_elsewhere() -> bool:
        try:
            with transaction.atomic():
                Project.objects.select_for_update(nowait=True, no_key=True).get(pk=project.pk)
            return False
        except OperationalError:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        assert turn_take() is not None
        assert other.submit(locked_elsewhere).result(10)

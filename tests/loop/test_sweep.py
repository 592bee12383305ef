"""What a dying worker leaves half done is found and done."""

from datetime import timedelta

import pytest

from apps.integrations import wiring
from apps.loop.services.runs import JUDGED_WITHIN, verdicts_sweep
from apps.projects.models import Project
from apps.releases.services import candidate_register
from tests import rows
from tests.conftest import NOON

LATER = NOON + timedelta(minutes=11) + JUDGED_WITHIN + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> rows.Sent:
    queue = rows.Sent([])
    monkeypatch.setattr(wiring, "jobs", queue)
    return queue


def test_a_run_whose_worker_died_before_the_report_is_judged_again(project: Project, sent: rows.Sent) -> None:
    rows.labeled(project)
    run = rows.trained(project)
    assert verdicts_sweep(at=LATER - timedelta(seconds=2)) == []
    assert verdicts_sweep(at=LATER) == [run.pk]
    assert sent.jobs == [("workers.evaluate", (run.pk,))]


def test_a_run_whose_worker_died_after_the_report_still_becomes_a_model(project: Project) -> None:
    rows.labeled(project)
    run = rows.trained(project)
    report = rows.judged(run)
    assert verdicts_sweep(at=LATER) == [run.pk]
    candidate_register(run=run, report=report, at=LATER)
    assert verdicts_sweep(at=LATER) == []

"""What a page may cost. A change of the numbers is a reviewed diff."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.monitoring.models import Alert, DriftCheck
from apps.notices.models import Notice, NoticeComment
from apps.projects.models import Project
from apps.releases.services import model_promote
from apps.training.models import Run
from tests.conftest import NOON
from tests.monitoring.test_pages import answered
from tests.rows import HOUR, labeled, learned, model, started
from tests.slas.test_pages import lap

As = Callable[[User], Client]
BUDGETS: dict[str, int] = json.loads((Path(__file__).parent.parent / "query_budgets.json").read_text())
LOOSE = 3  # a budget this far above the cost hides the next N+1


def turned(project: Project, lin: User, times: int) -> Run:
    """So many laps with alerts, checks and answers; the last of their runs."""
    labeled(project)
    run: Run | None = None
    for i in range(times):
        version = model(project, at=NOON + i * 10 * HOUR, base=run)
        model_promote(version=version, reason="", by=lin, at=NOON + (i * 10 + 1) * HOUR)
        lap(project, 61, at=NOON + timedelta(hours=i))
        learned(version.run)
        DriftCheck.objects.create(
            project=project, at=NOON, model_number=1, window=9, outcome="none", statistics=[], sentence="x"
        )
        Alert.objects.create(
            project=project,
            kind=f"k{i}",
            title="Drift",
            detail="x",
            opened_at=NOON,
            last_seen_at=NOON,
            resolved_by=lin,
            resolved_at=NOON if i else None,
        )
        notice = Notice.objects.create(
            project=project,
            kind="run-failed",
            cause=f"cause {i}",
            severity="warning",
            sentence="x",
            subject="run 1",
            sequence=1,
            opened_at=NOON,
            last_seen_at=NOON,
            assigned_to=lin,
        )
        NoticeComment.objects.create(notice=notice, by=lin, by_name="Lin", at=NOON, text="x")
        run = version.run
    answered(project, 5 * times)
    assert run is not None
    return run


def cost(browser: Client, name: str, project: Project, run: Run) -> int:
    args = {
        "lineage:run": [project.pk, run.pk],
        "reports:report": [project.pk, run.pk if hasattr(run, "report") else run.base_run_id],
        "portfolio:projects": [],
        "notices:notices": [],
        "notices:choices": [],
        "notices:bell": [],
        "notices:notice": [project.notices.order_by("pk")[0].pk],
        "examples:page": [project.pk, project.examples.order_by("pk")[0].pk],
        "setup:label": [project.pk, project.labels.all()[0].pk],
        "people:person": [run.project.memberships.all()[0].user_id],
        "mending:alarm": [project.pk, project.alerts.order_by("pk")[0].pk],
    }.get(name, [project.pk])
    url = reverse(name, args=args)
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("name", list(BUDGETS))
def test_a_page_stays_within_its_budget_and_costs_the_same_after_many_laps(
    as_: As, lin: User, mona: User, alma: User, make_project: Callable[..., Project], name: str
) -> None:
    young, old = make_project(), make_project()
    first, last = turned(young, lin, 2), turned(old, lin, 12)
    first, last = started(young, base=first), started(old, base=last)  # now: a claim takes whose turn it is
    labeled(old, 40)
    alma.is_superuser = True
    alma.save()
    browser = as_({"setup": mona, "closing": mona, "people": alma}.get(name.split(":")[0], lin))
    few, many = cost(browser, name, young, first), cost(browser, name, old, last)
    assert many <= few, f"{name} costs {few} queries for two laps and {many} for twelve"
    assert many <= BUDGETS[name], f"{name} costs {many} queries, its budget is {BUDGETS[name]}"
    assert many > BUDGETS[name] - LOOSE, f"{name} costs {many}: lower its budget of {BUDGETS[name]}"

"""All projects of a person: which needs somebody first, what a role may see, and what it costs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.labeling.models import Review, ReviewState, ReviewWhy
from apps.loop.portfolio.selectors import portfolio_of
from apps.loop.selectors import clock_now
from apps.monitoring.models import Alert
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.services import alert_raise
from apps.projects.models import Project
from apps.projects.policies.services import policy_set
from apps.rules.monitors import monitor_policy_of
from apps.slas.services import target_set
from tests.conftest import NOON
from tests.rows import labeled
from tests.slas.test_pages import lap

As = Callable[[User], Client]
Make = Callable[..., Project]
URL = "/projects/"


def names(user: User, sort: str = "worst") -> list[str]:
    return [each.project.name for each in portfolio_of(user, NOON, sort).holdings]


def waits(project: Project, hours: float) -> None:
    """Labels that no model has served, collected so many hours ago."""
    labeled(project, at=NOON - timedelta(hours=hours - 1))  # collected an hour before they are labeled


def review(project: Project) -> None:
    example = labeled(project, 1, held=1)[0]
    Review.objects.create(project=project, example=example, why=ReviewWhy.FLAG, opened_at=NOON)


def test_the_worst_project_comes_first(make_project: Make, mona: User) -> None:
    quiet, near, waiting, late, rings = (make_project(name=n) for n in ("a", "near", "waiting", "late", "rings"))
    waits(near, 60)
    review(waiting)
    waits(late, 80)
    waits(rings, 100)
    alert_raise(project=rings, kind="drift", title="Drift", detail="x", check=None, at=NOON)
    assert names(mona) == ["rings", "late", "near", "waiting", "a"]
    assert names(mona, "name") == ["a", "late", "near", "rings", "waiting"]
    assert names(mona, "reviews")[0] == "waiting" and names(mona, "alarms")[0] == "rings"
    assert names(mona, "lap")[0] == "rings" and names(mona, "no such order") == names(mona)
    assert quiet.name == "a"


def test_capitals_do_not_come_first(make_project: Make, mona: User) -> None:
    for name in ("Zebra", "apple", "Mail"):
        make_project(name=name)
    assert names(mona, "name") == ["apple", "Mail", "Zebra"]


def test_the_age_of_a_lap_is_the_one_that_the_loop_page_shows(make_project: Make, mona: User) -> None:
    project = make_project()
    for hours in range(5, 55, 5):
        labeled(project, 3, held=0, at=NOON - timedelta(hours=hours))
    target_set(project=project, hours=40, by=mona, at=NOON)
    held = portfolio_of(mona, NOON, "worst").holdings[0]
    clock = clock_now(project, NOON)
    assert clock.open_lap and held.lap_age_s == clock.open_lap.age_s == 46 * 3600
    assert held.is_late and held.of_target == pytest.approx(46 / 40)


def test_labels_of_the_holdout_and_those_served_age_no_lap(make_project: Make, mona: User) -> None:
    project = make_project()
    labeled(project, 4, held=4, at=NOON - timedelta(hours=90))
    made = labeled(project, 4, held=0, at=NOON - timedelta(hours=80))
    for example in made:
        example.label.served_at = NOON
        example.label.save()
    assert portfolio_of(mona, NOON, "worst").holdings[0].lap_age_s is None


def test_only_open_reviews_and_open_alarms_count(make_project: Make, mona: User) -> None:
    project = make_project()
    review(project)
    review(project)
    Review.objects.filter(pk=Review.objects.first().pk).update(state=ReviewState.DECIDED)  # type: ignore[union-attr]
    alert = alert_raise(project=project, kind="drift", title="Drift", detail="x", check=None, at=NOON)
    assert alert
    alert.resolved_at = NOON
    alert.save()
    held = portfolio_of(mona, NOON, "worst").holdings[0]
    assert (held.reviews, held.alarms) == (1, 0)


def alarm(project: Project, days: float, verdict: str = "", *, is_open: bool = False) -> None:
    opened = NOON - timedelta(days=days)
    Alert.objects.create(
        project=project, kind=f"of {days}", title="Drift", detail="x", opened_at=opened, last_seen_at=opened, verdict=verdict,
        resolved_at=None if is_open else opened,
    )  # fmt: skip


def test_monitors_stand_by_their_oldest_alarm_their_budget_and_their_precision(
    as_: As, make_project: Make, mona: User
) -> None:
    project = make_project()
    policy = monitor_policy_of({"budget": 3, "monitors": [{"type": "class_mix"}]})
    policy_set(MONITOR_POLICY, project=project, policy=policy, by=mona, at=NOON)
    alarm(project, 100, is_open=True)  # open for longer than anything is counted
    alarm(project, 3, is_open=True)
    for days, verdict in ((5, "false"), (40, "false"), (41, "true"), (50, "undecided"), (95, "true"), (96, "false")):
        alarm(project, days, verdict)
    held = portfolio_of(mona, NOON, "worst").holdings[0]
    found = held.monitors
    assert found is not None and (found.alarms, found.false_month, found.budget) == (2, 1, 3)
    assert (found.true, found.false, found.precision) == (1, 2, 1 / 3) and not found.over_budget
    assert held.oldest_alarm_s == 100 * 86_400
    page = as_(mona).get(URL).text
    assert "of 3 false in 30 days" in page
    assert reverse("monitors:monitors", args=[project.pk]) in page


def test_a_project_that_never_rang_has_the_usual_budget_and_no_precision(make_project: Make, mona: User) -> None:
    make_project()
    found = portfolio_of(mona, NOON, "worst").holdings[0].monitors
    assert found is not None and (found.alarms, found.budget, found.precision) == (0, 1.0, None)


def test_an_annotator_sees_no_lap_no_alarm_no_review(as_: As, make_project: Make, ada: User, rosa: User) -> None:
    project = make_project(name="Mail")
    waits(project, 80)
    alert_raise(project=project, kind="drift", title="Drift", detail="x", check=None, at=NOON)
    held = portfolio_of(ada, NOON, "worst").holdings[0]
    assert (held.target_s, held.lap_age_s, held.last_lap, held.alarms, held.reviews) == (None,) * 5
    page = as_(ada).get(URL).text
    assert "Mail" in page and "Open lap" not in page and "alarm" not in page
    of_reviewer = portfolio_of(rosa, NOON, "worst").holdings[0]
    assert of_reviewer.alarms is None and of_reviewer.reviews == 0 and of_reviewer.is_late


def test_the_page_says_what_needs_somebody(as_: As, make_project: Make, mona: User) -> None:
    project, other = make_project(name="Mail"), make_project(name="Letters")
    labeled(project, at=timezone.now() - timedelta(hours=90))
    alert_raise(project=project, kind="drift", title="Drift", detail="x", check=None, at=NOON)
    review(other)
    lap(project, 61)
    page = " ".join(as_(mona).get(URL).text.split())
    for words in (
        "1 open lap is past its target",
        "1 alarm is open",
        "1 review waits",
        "last lap 61 h 00 min",
        "of 72 h",
    ):
        assert words in page
    assert page.index(">Mail<") < page.index(">Letters<") and "?sort=name" in page


def test_one_project_needs_no_sorting(as_: As, make_project: Make, mona: User) -> None:
    make_project()
    page = as_(mona).get(URL).text
    assert "?sort=" not in page and "No lap is late, no alarm is open, no review waits." in page


def test_five_projects_cost_as_many_queries_as_one(as_: As, make_project: Make, mona: User) -> None:
    browser, costs = as_(mona), []
    for _ in range(5):
        project = make_project()
        waits(project, 80)
        review(project)
        lap(project, 61)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(URL).status_code == 200
        costs.append(len(queries))
    assert len(set(costs)) == 1, costs

"""The monitor: traffic, drift, alerts."""

from collections.abc import Callable
from datetime import datetime, timedelta

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.loop.services.drift import drift_check_now
from apps.monitoring import charts, selectors
from apps.monitoring.log.services import LoggedPrediction, predictions_record
from apps.monitoring.models import Alert, DriftCheck
from apps.monitoring.services import alert_raise, alert_resolve
from apps.pages.periods import NAMED, period_named
from apps.projects.models import Project
from apps.releases.services import model_promote
from tests.conftest import NOON
from tests.rows import labeled, model

As = Callable[[User], Client]
HX = {"HX-Request": "true"}
LATER = NOON + timedelta(hours=1)
DAY = period_named("24h", NOON)


def answered(
    project: Project, n: int, *, minutes_ago: float = 1, label: str = "ham", at: datetime | None = None
) -> None:
    moment = (at or timezone.now()) - timedelta(minutes=minutes_ago)
    rows = [LoggedPrediction(project.pk, f"{label}{i}", moment, 1, label, 0.8, 10 + i) for i in range(n)]
    predictions_record(rows=rows)


def test_an_empty_monitor_says_when_a_check_runs(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("monitoring:monitor", args=[project.pk]))
    assert page.status_code == 200 and "A check needs a champion and 50 answers" in page.text


def test_traffic_is_counted_in_buckets_of_the_range(project: Project) -> None:
    answered(project, 4, minutes_ago=5, at=NOON)
    answered(project, 2, minutes_ago=5, label="spam", at=NOON)
    answered(project, 3, minutes_ago=65, at=NOON)
    answered(project, 9, minutes_ago=60 * 25, at=NOON)  # before the range
    found = selectors.traffic_of(project, DAY)
    assert [(b.answers, b.by_label) for b in found.buckets] == [(3, {"ham": 3}), (6, {"ham": 4, "spam": 2})]
    assert found.answers == 9
    assert found.buckets[0].median_ms == pytest.approx(11.0, rel=0.05)


def test_traffic_of_another_project_is_not_counted(make_project: Callable[..., Project]) -> None:
    mine, other = make_project(), make_project()
    answered(other, 5, at=NOON)
    assert selectors.traffic_of(mine, DAY).buckets == ()


def test_traffic_costs_one_query(project: Project, django_assert_num_queries: Callable[..., object]) -> None:
    answered(project, 50)
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        selectors.traffic_of(project, period_named("24h", timezone.now()))


@pytest.mark.parametrize("name", list(NAMED))
def test_each_period_has_figures_that_plotly_takes(as_: As, lin: User, project: Project, name: str) -> None:
    answered(project, 5)
    answered(project, 5, minutes_ago=40, label="spam")
    url = reverse("monitoring:figures", args=[project.pk]) + f"?period={name}"
    figures = as_(lin).get(url).json()
    assert set(figures) == {"volume", "errors", "latency", "confidence", "mix"}
    for figure in figures.values():
        go.Figure(figure)


def test_a_gap_in_traffic_breaks_the_line(project: Project) -> None:
    answered(project, 1, minutes_ago=5, at=NOON)
    answered(project, 1, minutes_ago=300, at=NOON)
    line = charts.confidence(selectors.traffic_of(project, DAY))["data"][0]
    assert line["y"] == [80.0, None, 80.0]


def test_an_unknown_period_is_refused_with_the_known_ones(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("monitoring:monitor", args=[project.pk]) + "?period=century")
    assert page.status_code == 422 and "Known are 1h, 24h, 7d" in page.text


def test_an_alert_is_resolved_with_a_note(as_: As, mona: User, project: Project) -> None:
    alert = alert_raise(project=project, kind="drift", title="Drift", detail="ham rose", check=None, at=NOON)
    page = as_(mona).get(reverse("monitoring:monitor", args=[project.pk]))
    assert "ham rose" in page.text
    answer = as_(mona).post(reverse("monitoring:resolve", args=[project.pk, alert.pk]), {"note": "A sale, expected."})
    assert answer.status_code == 302
    alert.refresh_from_db()
    assert (alert.note, alert.resolved_by) == ("A sale, expected.", mona)


def test_an_alert_without_a_note_stays_open(as_: As, mona: User, project: Project) -> None:
    alert = alert_raise(project=project, kind="drift", title="Drift", detail="ham rose", check=None, at=NOON)
    answer = as_(mona).post(reverse("monitoring:resolve", args=[project.pk, alert.pk]), {"note": " "}, headers=HX)
    assert answer.status_code == 422 and "Say in a note" in answer.text
    assert Alert.objects.get().resolved_at is None


def test_an_alert_resolved_before_is_refused_with_the_name_of_who_was_faster(
    as_: As, mona: User, lin: User, project: Project
) -> None:
    alert = alert_raise(project=project, kind="drift", title="Drift", detail="ham rose", check=None, at=NOON)
    url = reverse("monitoring:resolve", args=[project.pk, alert.pk])
    as_(lin).post(url, {"note": "A sale."})
    second = as_(mona).post(url, {"note": "Something else."}, headers=HX)
    assert second.status_code == 409 and "Lin resolved this alarm already" in second.text
    assert Alert.objects.get().note == "A sale."


def test_an_alert_of_another_project_cannot_be_resolved_here(
    as_: As, lin: User, make_project: Callable[..., Project]
) -> None:
    mine, other = make_project(), make_project()
    alert = alert_raise(project=other, kind="drift", title="Drift", detail="x", check=None, at=NOON)
    assert as_(lin).post(reverse("monitoring:resolve", args=[mine.pk, alert.pk]), {"note": "x"}).status_code == 404
    assert Alert.objects.get().resolved_at is None


def test_drift_seen_twice_is_one_alert(project: Project) -> None:
    for _ in range(2):
        alert_raise(project=project, kind="drift", title="Drift", detail="ham rose", check=None, at=NOON)
    assert Alert.objects.get().times_seen == 2


def test_without_a_champion_there_is_nothing_to_check(as_: As, lin: User, project: Project) -> None:
    answer = as_(lin).post(reverse("loop:drift_check", args=[project.pk]), headers=HX)
    assert answer.status_code == 409 and "No model serves yet" in answer.text
    assert not DriftCheck.objects.exists()


def test_a_changed_mix_of_answers_raises_the_alarm(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    model_promote(version=model(project), reason="", by=lin, at=NOON)
    answered(project, 200, label="ham")  # the holdout had half ham, half spam
    assert as_(lin).post(reverse("loop:drift_check", args=[project.pk])).status_code == 302
    assert DriftCheck.objects.get().outcome == "drift"
    page = as_(lin).get(reverse("monitoring:monitor", args=[project.pk]))
    assert "“ham” went from 50 % to 100 % of predictions" in page.text


def drifting(project: Project, lin: User) -> Alert:
    """A champion that answers `ham` only, where its holdout had half of it: the alert it raised."""
    labeled(project)
    model_promote(version=model(project), reason="", by=lin, at=NOON)
    answered(project, 200, label="ham", at=LATER)
    drift_check_now(project=project, at=LATER, seed=0)
    return Alert.objects.get(resolved_at=None)


def test_a_resolved_alert_does_not_ring_again_from_the_same_requests(lin: User, project: Project) -> None:
    alert = drifting(project, lin)
    alert_resolve(project=project, alert_id=alert.pk, note="A drill.", by=lin, at=LATER)
    answered(project, 10, label="spam", minutes_ago=-1, at=LATER)
    check = drift_check_now(project=project, at=LATER + timedelta(minutes=5), seed=0)
    assert (check.window, check.since, check.outcome) == (10, LATER, "too-few")
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_new_drift_after_a_resolution_rings_and_counts_only_what_came_since(lin: User, project: Project) -> None:
    alert = drifting(project, lin)
    alert_resolve(project=project, alert_id=alert.pk, note="A drill.", by=lin, at=LATER)
    answered(project, 80, label="ham", minutes_ago=-1, at=LATER)
    check = drift_check_now(project=project, at=LATER + timedelta(minutes=5), seed=0)
    again = Alert.objects.get(resolved_at=None)
    assert (check.window, again.check_row, again.times_seen) == (80, check, 1)


def test_a_check_that_began_before_the_resolution_opens_nothing(lin: User, project: Project) -> None:
    alert = drifting(project, lin)
    late = DriftCheck.objects.get()
    alert_resolve(project=project, alert_id=alert.pk, note="A drill.", by=lin, at=LATER)
    assert alert_raise(project=project, kind="drift", title="Drift", detail="x", check=late, at=LATER) is None
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_an_alarm_shows_the_window_it_looked_at(as_: As, lin: User, project: Project) -> None:
    drifting(project, lin)
    page = " ".join(as_(lin).get(reverse("monitoring:monitor", args=[project.pk])).text.split())
    assert (
        f"It looked at 200 requests, from {LATER - timedelta(days=1):%-d %b, %H:%M} to {LATER:%-d %b, %H:%M}." in page
    )


@pytest.mark.parametrize("name", ["monitor", "numbers", "figures", "drift", "alerts"])
def test_ada_and_mallory_see_no_monitor(as_: As, ada: User, mallory: User, project: Project, name: str) -> None:
    url = reverse(f"monitoring:{name}", args=[project.pk])
    assert as_(ada).get(url).status_code == 403
    assert as_(mallory).get(url).status_code == 404

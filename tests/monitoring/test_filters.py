"""What the monitor's filters say of the answers, and that their link carries them; figures as CSV."""

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.errors import Invalid
from apps.monitoring.filters import TrafficFilter, filter_asked
from apps.monitoring.log.sample import MOST_LOOKED_AT, slices_offered
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import DriftCheck
from apps.monitoring.selectors import choices_of, traffic_shown
from apps.pages.figures import table_of
from apps.pages.periods import period_named
from apps.projects.models import Project

As = Callable[[User], Client]


def said(project: Project, n: int, **more: object) -> LoggedPrediction:
    given = {"model_number": 1, "label": "ham", "confidence": 0.5, "latency_ms": 10.0, **more}
    at = given.pop("at", timezone.now() - timedelta(minutes=5))
    assert isinstance(at, datetime)
    return LoggedPrediction(project_id=project.pk, inference_id=f"q{n}", at=at, **given)  # type: ignore[arg-type]


@pytest.fixture
def logged(project: Project) -> Project:
    """The champion, a canary that fails half the time, a shadow; rows of two regions, some of them kept."""
    rows = [said(project, n, asked=AskedRow({"region": "EU" if n % 3 else "US", "age": n})) for n in range(9)]
    rows += [said(project, 20 + n, model_number=2, arm="canary", label="spam") for n in range(2)]
    rows += [said(project, 30 + n, model_number=2, arm="canary", label="", failed=True) for n in range(2)]
    rows += [said(project, 40, model_number=3, arm="shadow", asked=AskedRow({"region": "EU"}))]
    predictions_record(rows=rows)
    return project


def asked(words: str) -> TrafficFilter:
    return filter_asked(QueryDict(words))


@pytest.mark.parametrize(
    ("words", "answers", "failures"),
    [
        ("", 11, 2),
        ("arm=champion", 9, 0),
        ("arm=canary", 2, 2),
        ("arm=shadow", 1, 0),
        ("version=2", 2, 2),
        ("version=v1&arm=canary", 0, 0),
        ("version=7", 0, 0),
        ("slice=region%3DEU", 6, 0),
        ("slice=region%3DEU&arm=shadow", 1, 0),
        ("slice=region%3DUS&version=1", 3, 0),
        ("slice=age%3D4", 1, 0),
        ("slice=gone%3Dx", 0, 0),
    ],
)
def test_traffic_is_what_the_filter_says(logged: Project, words: str, answers: int, failures: int) -> None:
    found = traffic_shown(logged, period_named("24h", timezone.now()), asked(words))
    assert (found.answers, found.failures) == (answers, failures)
    assert (found.looked_at is not None) == ("slice" in words)


def test_a_slice_looks_at_so_many_requests_and_no_more(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.monitoring.log.sample.MOST_LOOKED_AT", 4)
    at = timezone.now()
    rows = [said(project, n, at=at - timedelta(minutes=n), asked=AskedRow({"region": "EU"})) for n in range(9)]
    predictions_record(rows=rows)
    found = traffic_shown(project, period_named("24h", at), asked("slice=region%3DEU"))
    assert (found.answers, found.looked_at) == (4, 4)
    assert MOST_LOOKED_AT <= 5_000


def test_an_answer_of_another_moment_under_the_same_id_is_no_kept_one(project: Project) -> None:
    now = timezone.now()
    predictions_record(
        rows=[
            said(project, 1, at=now - timedelta(hours=2), label="spam"),
            said(project, 1, at=now - timedelta(minutes=1), asked=AskedRow({"region": "EU"})),
        ]
    )
    found = traffic_shown(project, period_named("24h", now), asked("slice=region%3DEU"))
    assert [b.by_label for b in found.buckets] == [{"ham": 1}]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("arm=nobody", "arm"),
        ("version=two", "version"),
        ("version=0", "version"),
        ("version=-1", "version"),
        ("version=v", "version"),
        ("version=²", "version"),
        ("version=99999999999999999999", "version"),
        ("slice=region", "slice"),
        ("slice=%3DEU", "slice"),
        ("slice=a%3D%00", "slice"),
        ("slice=a%3D" + "x" * 300, "slice"),
    ],
)
def test_a_bad_filter_gets_a_sentence(logged: Project, as_: As, mona: User, words: str, field: str) -> None:
    with pytest.raises(Invalid) as error:
        asked(words)
    assert error.value.details["field"] == field
    page = as_(mona).get(reverse("monitoring:monitor", args=[logged.pk]) + f"?{words}")
    assert page.status_code == 422 and "is no" in page.text
    assert as_(mona).get(reverse("monitoring:figures", args=[logged.pk]) + f"?{words}").status_code == 422


def test_the_link_carries_the_filter(logged: Project, as_: As, mona: User) -> None:
    address = reverse("monitoring:monitor", args=[logged.pk])
    page = as_(mona).get(f"{address}?period=24h&arm=canary&version=2&slice=region%3DEU").text
    carried = "arm=canary&amp;version=2&amp;slice=region%3DEU"
    for link in (
        f"?period=7d&amp;{carried}",
        f"figures/?period=24h&amp;{carried}",
        f"numbers/?period=24h&amp;{carried}",
        f"drift/?period=24h&amp;{carried}",
    ):
        assert link in page, link
    assert '<input type="hidden" name="slice" value="region=EU">' in page
    assert asked("arm=canary&version=v2&slice=region%3DEU").fields == {
        "arm": "canary",
        "version": "2",
        "slice": "region=EU",
    }


def test_what_can_be_chosen_is_what_there_is(logged: Project) -> None:
    day = period_named("24h", timezone.now())
    found = choices_of(logged, day, asked("version=9"))
    assert [arm for arm, _ in found.arms] == ["champion", "canary", "shadow"]
    assert found.versions == (9, 3, 2, 1)
    assert set(slices_offered(logged, day)) >= {"region=EU", "region=US"}
    predictions_record(
        rows=[said(logged, 100 + n, asked=AskedRow({"region": "EU", "free": f"v{n}"})) for n in range(30)]
    )
    assert not [each for each in slices_offered(logged, day) if each.startswith("free=")]


def test_slices_are_suggested_once_somebody_is_about_to_choose(logged: Project, as_: As, mona: User) -> None:
    page = as_(mona).get(reverse("monitoring:monitor", args=[logged.pk]) + "?period=24h").text
    assert "region=EU" not in page and f"{reverse('monitoring:slices', args=[logged.pk])}?period=24h" in page
    offered = as_(mona).get(reverse("monitoring:slices", args=[logged.pk]) + "?period=24h").text
    assert '<option value="region=EU">' in offered


def test_checks_and_resolved_alarms_are_those_of_the_period_and_version(project: Project, as_: As, mona: User) -> None:
    now = timezone.now()
    for days, number in ((0, 1), (0, 2), (20, 1)):
        DriftCheck.objects.create(
            project=project, at=now - timedelta(days=days, minutes=1), model_number=number, window=10 + days + number,
            outcome="none", statistics=[], sentence=f"Check {days} of v{number}",
        )  # fmt: skip
    drift = reverse("monitoring:drift", args=[project.pk])
    page = as_(mona).get(f"{drift}?period=24h&version=1").text
    assert "Check 0 of v1" in page and "Check 0 of v2" not in page and "Check 20 of v1" not in page
    assert "Check 20 of v1" in as_(mona).get(f"{drift}?period=30d").text


def test_a_page_without_a_slice_reads_no_answer_of_the_log(logged: Project, as_: As, mona: User) -> None:
    browser = as_(mona)
    with CaptureQueriesContext(connection) as queries:
        for name in ("monitor", "numbers", "figures", "drift"):
            browser.get(reverse(f"monitoring:{name}", args=[logged.pk]) + "?arm=canary&version=2")
    assert not [q["sql"] for q in queries if "monitoring_prediction" in q["sql"]]


def test_errors_show_where_nothing_was_answered(logged: Project, as_: As, mona: User) -> None:
    figure = as_(mona).get(reverse("monitoring:figures", args=[logged.pk]) + "?period=24h&arm=canary").json()["errors"]
    assert figure["data"][0]["y"] == [50.0]
    predictions_record(rows=[said(logged, 200, failed=True, label="", at=timezone.now() - timedelta(hours=5))])
    figure = as_(mona).get(reverse("monitoring:figures", args=[logged.pk]) + "?period=24h").json()["errors"]
    assert [y for y in figure["data"][0]["y"] if y is not None] == [100.0, round(100 * 2 / 13, 2)]


def test_a_figure_as_csv_is_what_is_drawn(logged: Project, as_: As, mona: User) -> None:
    browser, address = as_(mona), reverse("monitoring:figures", args=[logged.pk]) + "?period=24h"
    mix = browser.get(address).json()["mix"]
    answer = browser.get(f"{address}&csv=mix")
    assert answer["Content-Type"].startswith("text/csv") and 'filename="mix.csv"' in answer["Content-Disposition"]
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert head == ["from", "ham", "spam"]
    assert [row[0] for row in rows] == mix["data"][0]["x"]
    assert [float(row[1]) for row in rows] == mix["data"][0]["y"]
    assert browser.get(f"{address}&csv=gone").status_code == 404


def test_a_label_that_is_a_formula_is_only_shown(project: Project, as_: As, mona: User) -> None:
    predictions_record(rows=[said(project, 1, label="=1+1")])
    text = as_(mona).get(reverse("monitoring:figures", args=[project.pk]) + "?period=24h&csv=mix").text
    assert text.splitlines()[0] == "from,'=1+1"


def test_tables_of_figures() -> None:
    gap = {"data": [{"name": "a", "x": [1, 2, 3], "y": [4, None, 5]}, {"name": "b", "x": [3, 9], "y": [6, 7]}]}
    assert list(table_of(gap)) == [["x", "a", "b"], [1, 4, None], [3, 5, 6], [9, None, 7]]
    twice = {"data": [{"name": "a", "x": [1, 1], "y": [4, 5]}]}
    assert list(table_of(twice)) == [["", "x", "y"], ["a", 1, 4], ["a", 1, 5]]
    lying = {"data": [{"name": "a", "orientation": "h", "x": [4], "y": ["n"]}]}
    assert list(table_of(lying)) == [["x", "a"], ["n", 4]]
    heat = {"data": [{"type": "heatmap", "x": [1, 2, 3], "y": ["f"], "z": [[7, None]]}]}
    assert list(table_of(heat)) == [["x", 1, 2], ["f", 7, None]]

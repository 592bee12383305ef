"""A cell of the heat map: both sides of its feature, the requests that show it, its alarm; and one logged request."""

import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from apps.accounts.models import User
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import Feedback, MonitorReading
from apps.monitoring.monitors.near import LOOKED_AT, SHOWN, feature_named, requests_near, small_picture
from apps.projects.models import Project
from tests.monitoring.monitors.conftest import LEARNED, look, page_of

As = Callable[[User], Client]
Watched = Callable[..., Project]


def today() -> datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def logged(project: Project, rows: Sequence[dict[str, Any]], **more: Any) -> None:
    """Answered and kept, the newest first, a minute apart before midnight."""
    given = {"model_number": 1, "label": "ham", "confidence": 0.9, "latency_ms": 3.0, **more}
    predictions_record(
        rows=[
            LoggedPrediction(
                project_id=project.pk, inference_id=f"q{n}", at=today() - timedelta(minutes=n), asked=AskedRow(row), **given
            )
            for n, row in enumerate(rows)
        ]
    )  # fmt: skip


def looked(project: Project, **more: Any) -> MonitorReading:
    look(project, today(), serves_since=timezone.now() - timedelta(days=40), **more)
    newest = MonitorReading.objects.filter(project=project).order_by("-until").first()
    assert newest is not None and newest.until == today()
    return newest


@pytest.fixture
def lima(watched: Watched) -> MonitorReading:
    """Columns of a day in which every third request is of a city that was never seen."""
    project = watched({"type": "column-drift"}, budget=2)
    logged(project, [{"age": age, "city": ("Lima", "Rome", "Oslo")[n % 3]} for n, age in enumerate(LEARNED["age"])])
    return looked(project)


def near(reading: MonitorReading, name: str) -> Any:
    feature = feature_named(reading, name)
    assert feature is not None
    return requests_near(reading, feature)


def test_requests_of_the_part_that_grew_come_first(lima: MonitorReading) -> None:
    found = near(lima, "city")
    assert found.column == "city" and found.looked_at == 200
    assert [each.moved for each in found.requests] == ["Lima"] * SHOWN
    assert [each.inference_id for each in found.requests[:3]] == ["q0", "q3", "q6"], "the newest of them"
    assert found.requests[0].rest == (("age", "20"),)


def test_what_another_model_answered_is_no_example_of_this_window(lima: MonitorReading) -> None:
    predictions_record(
        rows=[
            LoggedPrediction(
                lima.project_id, f"other{n}", today() - timedelta(seconds=n + 1), 2, "ham", 0.9, 3.0,
                asked=AskedRow({"city": "Lima"}),
            )
            for n in range(20)
        ]
    )  # fmt: skip
    assert not [each for each in near(lima, "city").requests if each.inference_id.startswith("other")]


def test_answers_and_labels_that_came_back_stand_beside(lima: MonitorReading) -> None:
    at = today() - timedelta(minutes=3)
    Feedback.objects.create(
        project=lima.project, inference_id="q3", name="label", label="spam", at=at, received_at=at, first_received_at=at,
        answered_at=at, model_number=1, worth=0.0,
    )  # fmt: skip
    wrong = {each.inference_id: each.wrong for each in near(lima, "city").requests}
    assert wrong["q3"] is True and wrong["q0"] is None


@pytest.mark.parametrize(
    ("monitor", "feature", "rows", "shown"),
    [
        ({"type": "data-quality"}, "city (category)", {"age": 30, "city": "Lima"}, "Lima"),
        ({"type": "data-quality"}, "age (range)", {"age": 900, "city": "Rome"}, "900"),
        ({"type": "data-quality"}, "age (empty)", {"age": None, "city": "Rome"}, "–"),
        ({"type": "data-quality"}, "age (type)", {"age": "old", "city": "Rome"}, "old"),
        ({"type": "column-drift"}, "age", {"age": 900, "city": "Rome"}, "900"),
    ],
)
def test_every_kind_of_fault_shows_its_rows(
    watched: Watched, monitor: dict[str, Any], feature: str, rows: dict[str, Any], shown: str
) -> None:
    project = watched(monitor)
    logged(project, [{"age": 20 + n % 40, "city": "Rome"} if n % 5 else rows for n in range(200)])
    found = near(looked(project), feature)
    assert (found.showing, found.looked_at) == (40, 200)
    assert {each.moved for each in found.requests} == {shown}


def test_answers_that_grew_are_found_by_their_label(watched: Watched) -> None:
    project = watched({"type": "class_mix"})
    logged(project, [{"age": n} for n in range(200)], label="spam")
    found = near(looked(project), "class_mix")
    assert found.column == "" and found.showing == 200 and {each.label for each in found.requests} == {"spam"}


def test_where_nothing_is_kept_it_says_where_that_is_set(as_: As, lin: User, watched: Watched) -> None:
    project = watched({"type": "class_mix"})
    predictions_record(
        rows=[
            LoggedPrediction(project.pk, f"n{n}", today() - timedelta(minutes=n), 1, "ham", 0.9, 1.0) for n in range(99)
        ]
    )
    found = looked(project)
    text = as_(lin).get(cell(found, "class_mix")).text
    assert "The log keeps nothing of what was asked in this window" in text
    assert reverse("feedback:feedback", args=[project.pk]) in text


def cell(reading: MonitorReading, feature: str) -> str:
    return reverse("monitors:reading", args=[reading.project_id, reading.pk]) + f"?feature={feature}"


def test_the_page_of_a_cell_has_sides_requests_and_alarm(as_: As, lin: User, lima: MonitorReading) -> None:
    assert lima.alert is not None
    text = as_(lin).get(cell(lima, "city")).text
    assert f"Alarm {lima.alert.pk} covers this window" in text
    assert "67 of 200 kept requests of this window; the 12 nearest." in text
    assert f"{reverse('mending:alarm', args=[lima.project_id, lima.alert.pk])}#follows" in text
    assert f"{reverse('monitors:request', args=[lima.project_id])}?id=q0&amp;item=0" in text
    figures = (
        as_(lin).get(reverse("monitors:reading_figures", args=[lima.project_id, lima.pk]) + "?feature=city").json()
    )
    assert "Lima" in figures["chosen"]["data"][1]["y"] or "another value" in str(figures["chosen"])
    assert as_(lin).get(cell(lima, "gone")).status_code == 404


def test_the_heat_map_leads_to_the_cell(as_: As, lin: User, lima: MonitorReading) -> None:
    figure = as_(lin).get(reverse("monitors:figures", args=[lima.project_id]), {"period": "7d"}).json()["features"]
    assert page_of(figure["data"][0], 0, -1) == cell(lima, "city")


def test_a_cell_reads_a_bounded_part_of_the_log(as_: As, lin: User, lima: MonitorReading) -> None:
    browser = as_(lin)
    with CaptureQueriesContext(connection) as queries:
        browser.get(cell(lima, "city"))
    log = [q["sql"] for q in queries if "monitoring_askedpayload" in q["sql"] or "monitoring_prediction" in q["sql"]]
    assert len(log) == 3 and f"LIMIT {LOOKED_AT}" in log[0] and "unnest" in log[1] and "IN (" in log[2]


def test_a_request_has_a_page(as_: As, lin: User, lima: MonitorReading, make_project: Callable[..., Project]) -> None:
    address = reverse("monitors:request", args=[lima.project_id])
    text = as_(lin).get(f"{address}?id=q0").text
    assert "Lima" in text and "v1" in text and "90" in text
    for bad in ("?id=gone", "?id=q0&item=7", "?id=q0&item=x", "?id=q0&item=99999999"):
        answer = as_(lin).get(address + bad)
        assert answer.status_code == 404 and "knows no answer under this id" in answer.text, bad
    for empty in ("", "?id=", "?id=%00"):
        assert as_(lin).get(address + empty).status_code == 200, empty
    assert as_(lin).get(reverse("monitors:request", args=[make_project().pk]) + "?id=q0").status_code == 404


def test_who_may_not_see_the_monitor_sees_no_request(as_: As, rosa: User, lima: MonitorReading) -> None:
    assert as_(rosa).get(reverse("monitors:request", args=[lima.project_id]) + "?id=q0").status_code == 403


def test_a_picture_is_shown_small_and_a_broken_one_not() -> None:
    out = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(out, "PNG")
    assert small_picture(out.getvalue()).startswith("data:image/png;base64,")
    assert small_picture(b"no picture") == ""

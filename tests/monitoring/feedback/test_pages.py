"""The page and the API of feedback: what is mature counts, by version and arm; what is not is said."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.monitoring.feedback.forms import NEWER
from apps.monitoring.feedback.selectors import board_of, period_that_fits
from apps.monitoring.feedback.services import feedback_take
from apps.monitoring.feedback.settings import feedback_settings_of, feedback_settings_set
from apps.monitoring.models import AskedPayload, Feedback
from apps.pages.periods import period_named
from apps.people.tokens import token_create
from apps.projects.models import Project
from tests.conftest import NOON
from tests.monitoring.feedback.test_services import answer, take

As = Callable[[User], Client]
HOUR = timedelta(hours=1)
WEEK = period_named("7d", NOON)


def judged(project: Project, n: int, right: int, *, at: object, first: int = 0, **more: object) -> None:
    for k in range(first, first + n):
        answer(project, f"q{k}", "ham", at=at, **more)  # type: ignore[arg-type]
    rows = [{"inference_id": f"q{k}", "label": "ham" if k - first < right else "spam"} for k in range(first, first + n)]
    take(project, *rows, at=at)  # type: ignore[arg-type]


def test_only_what_is_mature_counts_and_the_rest_is_said(project: Project) -> None:
    judged(project, 4, 3, at=NOON - 30 * HOUR)
    judged(project, 6, 0, at=NOON - HOUR, first=100)
    board = board_of(project, NOON, WEEK)
    assert [(a.version, a.arm, a.requests, a.mean) for a in board.arms] == [(3, "champion", 4, 0.75)]
    assert board.chosen and board.chosen.immature_share == 0.6
    assert (board.answered, board.with_feedback, period_that_fits(board.settings)) == (10, 10, "7d")


def test_each_version_and_arm_stands_for_itself(project: Project) -> None:
    judged(project, 4, 4, at=NOON - 30 * HOUR)
    judged(project, 4, 1, at=NOON - 30 * HOUR, first=10, arm="canary", rollout=1)
    assert [(a.arm, a.mean) for a in board_of(project, NOON, WEEK).arms] == [("canary", 0.25), ("champion", 1.0)]


def test_who_does_not_click_counts_as_none_where_the_project_says_so(project: Project, mona: User) -> None:
    for k in range(10):
        answer(project, f"q{k}", at=NOON - 30 * HOUR)
    take(project, {"inference_id": "q0", "name": "click", "value": 1}, at=NOON - 30 * HOUR)
    assert board_of(project, NOON, WEEK).arms[0].mean == 1.0
    feedback_settings_set(project=project, by=mona, at=NOON, zero_names=["click"])
    (arm,) = board_of(project, NOON, WEEK).arms
    assert (arm.requests, arm.mean) == (10, 0.1)


def test_an_empty_page_shows_a_call_to_copy(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("feedback:feedback", args=[project.pk]))
    assert "Nothing came back yet" in page.text and f"/api/v1/projects/{project.pk}/feedback/" in page.text


def test_the_page_shows_counts_and_why_letters_are_dead(as_: As, lin: User, project: Project) -> None:
    judged(project, 4, 3, at=timezone.now() - 30 * HOUR)
    feedback_take(project=project, rows=[{"inference_id": "q9", "label": "eggs"}], at=timezone.now())
    page = as_(lin).get(reverse("feedback:feedback", args=[project.pk]))
    assert "75.0 %" in page.text and "no label “eggs”" in page.text and "4 of 4" in page.text


@pytest.mark.parametrize("period", ["24h", "7d", "30d", "90d"])
def test_figures_are_ones_that_plotly_takes(as_: As, lin: User, project: Project, period: str) -> None:
    judged(project, 4, 3, at=timezone.now() - 30 * HOUR)
    figures = as_(lin).get(reverse("feedback:figures", args=[project.pk]) + f"?period={period}").json()
    go.Figure(data=figures["means"]["data"])
    assert [len(trace["y"]) for trace in figures["means"]["data"]] == ([1] if period != "24h" else [])


def test_a_range_or_a_name_that_is_none_is_refused_in_words(as_: As, lin: User, project: Project) -> None:
    judged(project, 1, 1, at=timezone.now() - HOUR)
    for query in ("period=year", "name=nothing"):
        assert as_(lin).get(reverse("feedback:feedback", args=[project.pk]) + f"?{query}").status_code == 422


def test_the_form_sets_maturity_and_retention_and_says_what_is_wrong(as_: As, mona: User, project: Project) -> None:
    address = reverse("feedback:settings_set", args=[project.pk])
    given = {
        "maturity_hours": "2.5",
        "zero_names": "click, purchase",
        "payloads": "sample",
        "sample_percent": "5",
        "payload_days": "7",
        "log_days": "",
        "answer_percent": "25",
        "label_percents": "spam = 100\n\nham=0,5 %",
    }
    assert as_(mona).post(address, given).status_code == 302
    kept = feedback_settings_of(project)
    assert (kept.maturity_hours, kept.zero_names, kept.share_kept, kept.log_days) == (
        2.5,
        ["click", "purchase"],
        0.05,
        None,
    )
    wrong = as_(mona).post(address, {**given, "zero_names": "label", "maturity_hours": "2"})
    assert wrong.status_code == 422 and "is the name of labels" in wrong.text
    assert feedback_settings_of(project).maturity_hours == 2.5
    assert as_(mona).post(address, {**given, "maturity_hours": "nan"}).status_code == 422
    assert (kept.answer_share, kept.label_shares) == (0.25, {"spam": 1.0, "ham": 0.005})
    for lines, words in {
        "spam": "is not a label and its percent",
        "= 5": "is not a label",
        "eggs = 5": "has no label “eggs”",
    }.items():
        wrong = as_(mona).post(address, {**given, "label_percents": lines})
        assert wrong.status_code == 422 and words in wrong.text
    for percent in ("0", "101", ""):
        assert as_(mona).post(address, {**given, "answer_percent": percent}).status_code == 422
    of_before = {name: value for name, value in given.items() if name not in NEWER}
    assert as_(mona).post(address, of_before).status_code == 302  # a page that was opened before an upgrade
    shown = as_(mona).get(reverse("feedback:feedback", args=[project.pk])).text
    assert "ham = 0.5\nspam = 100" in shown and feedback_settings_of(project).answer_share == 0.25
    cleared = as_(mona).post(address, {**given, "label_percents": ""})
    assert cleared.status_code == 302 and feedback_settings_of(project).label_shares == {}


def test_a_sampled_log_is_said_where_its_figures_are(as_: As, lin: User, mona: User, project: Project) -> None:
    judged(project, 1, 1, at=timezone.now() - HOUR)
    pages = [reverse("feedback:feedback", args=[project.pk]), reverse("monitors:monitors", args=[project.pk])]
    assert not any("keeps a sample" in as_(lin).get(page).text for page in pages)
    settings = f"/api/v1/projects/{project.pk}/feedback-settings/"
    given = {"answer_share": 0.125, "label_shares": {"spam": 1}}
    reply = as_(mona).patch(settings, given, content_type="application/json")
    assert reply.status_code == 200, reply.text
    assert {name: reply.json()[name] for name in given} == given and reply.json()["left_out"] == 0
    assert all("keeps a sample" in as_(lin).get(page).text for page in pages)
    refused = as_(mona).patch(settings, {"label_shares": {"spam": 2}}, content_type="application/json")
    assert refused.status_code == 422 and "between 0.0001 and 1" in refused.text


def test_a_batch_is_answered_row_by_row(as_: As, lin: User, project: Project) -> None:
    answer(project, "q1", at=timezone.now())
    body = '{"rows": [{"inference_id": "q1", "label": "ham"}, {"inference_id": "q1", "name": "click", "value": NaN}]}'
    reply = as_(lin).post(f"/api/v1/projects/{project.pk}/feedback/", body, content_type="application/json")
    assert reply.status_code == 200, reply.text
    assert [row["status"] for row in reply.json()["rows"]] == ["joined", "refused"]
    assert reply.json()["refused"] == 1 and Feedback.objects.count() == 1


@pytest.mark.parametrize("body", ['{"inference_id": "q1"}', '{"rows": []}', '{"rows": 1}', "[]", "3", "null"])
def test_what_is_no_feedback_is_refused_as_a_whole(as_: As, lin: User, project: Project, body: str) -> None:
    reply = as_(lin).post(f"/api/v1/projects/{project.pk}/feedback/", body, content_type="application/json")
    assert reply.status_code == 422 and not Feedback.objects.exists()


def test_a_batch_has_an_end(as_: As, lin: User, project: Project) -> None:
    rows = [{"inference_id": f"q{n}", "label": "ham"} for n in range(1001)]
    address = f"/api/v1/projects/{project.pk}/feedback/"
    reply = as_(lin).post(address, {"rows": rows}, content_type="application/json")
    assert reply.status_code == 422 and "1,000" in reply.text


@pytest.mark.parametrize(("scope", "status"), [("feedback", 200), ("write", 200), ("predict", 403), ("read", 403)])
def test_a_token_of_the_scope_feedback_sends_it_and_does_nothing_else(
    client: Client, lin: User, project: Project, scope: str, status: int
) -> None:
    token = token_create(user=lin, name="clicks", scope=scope, lasts=None, at=timezone.now())
    headers = {"Authorization": f"Token {token}"}
    address = f"/api/v1/projects/{project.pk}/feedback/"
    row = {"inference_id": "q1", "label": "ham"}
    assert client.post(address, row, content_type="application/json", headers=headers).status_code == status
    if scope == "feedback":
        assert client.get(address, headers=headers).status_code == 403


def test_the_chart_shows_what_the_filter_says_and_shades_what_is_not_mature(
    as_: As, lin: User, project: Project, mona: User
) -> None:
    at = timezone.now()
    judged(project, 4, 3, at=at - 30 * HOUR)
    judged(project, 2, 0, at=at - 30 * HOUR, first=10, arm="canary", rollout=1)
    AskedPayload.objects.create(project=project, inference_id="q3", at=at - 30 * HOUR, row={"region": "EU"})

    def drawn(words: str, name: str = "label") -> Any:
        url = reverse("feedback:figures", args=[project.pk]) + f"?period=7d&name={name}&{words}"
        return as_(lin).get(url).json()["means"]

    for words, lines in {
        "": [("v3 as canary", 0.0), ("v3", 75.0)],
        "arm=canary": [("v3 as canary", 0.0)],
        "version=3&arm=champion": [("v3", 75.0)],
        "version=4": [],
        "slice=region%3DEU": [("v3", 0.0)],
        "slice=region%3DUS": [],
    }.items():
        assert [(line["name"], line["y"][0]) for line in drawn(words)["data"]] == lines, words
    layout = drawn("")["layout"]
    (shade,) = [each for each in layout["shapes"] if each["type"] == "rect"]
    young = at - feedback_settings_of(project).maturity
    assert abs(datetime.fromisoformat(shade["x0"]) - young) < HOUR
    assert "not mature yet" in [each["text"] for each in layout["annotations"]]
    feedback_settings_set(project=project, by=mona, at=at, zero_names=["click"])
    take(project, {"inference_id": "q3", "name": "click", "value": 1}, at=at - 30 * HOUR)
    of_all, of_slice = (drawn(words, "click")["data"][0]["y"][0] for words in ("arm=champion", "slice=region%3DEU"))
    assert (of_all, of_slice) == (25.0, 100.0), "of a slice nobody knows how many answers there were"
    page = (
        as_(lin).get(reverse("feedback:feedback", args=[project.pk]) + "?period=7d&name=click&slice=region%3DEU").text
    )
    assert "In a slice only what came back counts." in page and "&amp;slice=region%3DEU&amp;name=" in page
    refused = as_(lin).get(reverse("feedback:feedback", args=[project.pk]) + "?arm=none")
    assert refused.status_code == 422 and "is no arm" in refused.text


def test_the_monitor_shows_what_was_right_also_where_no_label_came_back(as_: As, lin: User, project: Project) -> None:
    judged(project, 1, 1, at=timezone.now() - 30 * HOUR)
    Feedback.objects.update(name="click")
    page = as_(lin).get(reverse("monitoring:monitor", args=[project.pk]) + "?period=7d&version=3").text
    url = reverse("feedback:figures", args=[project.pk]) + "?period=7d&amp;version=3&amp;name=label"
    assert url in page
    assert as_(lin).get(url.replace("&amp;", "&")).json()["means"]["data"] == []

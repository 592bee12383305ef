"""The pages and the API of monitors: the board, a window, the policy, one click more or less."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

import plotly.graph_objects as go
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.monitoring.models import Alert, MonitorPolicyVersion, MonitorReading
from apps.monitoring.monitors import board
from apps.monitoring.monitors.board import board_of, features_over_time, replayed, threshold_at
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.monitors.recording import feature_cells
from apps.pages.periods import period_named
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.rules.monitors import MONITORS
from tests.api import api_of
from tests.api import at as address
from tests.monitoring.monitors.conftest import LEARNED, asked, look, page_of

As = Callable[[User], Client]
Watched = Callable[..., Project]


def today() -> object:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def moved(watched: Watched) -> MonitorReading:
    """A window of today's midnight whose city is another one."""
    project = watched({"type": "column-drift"}, {"type": "class_mix"}, budget=2)
    rows = [{"age": age, "city": "Lima"} for age in LEARNED["age"]]
    asked(project, today(), rows)  # type: ignore[arg-type]
    look(project, today(), serves_since=timezone.now() - timedelta(days=40))  # type: ignore[arg-type]
    return MonitorReading.objects.get(outcome="raised")


def page(as_: As, user: User, name: str, project: Project, *more: int) -> str:
    answer = as_(user).get(reverse(f"monitors:{name}", args=[project.pk, *more]))
    assert answer.status_code == 200
    return answer.text


def test_an_empty_board_says_what_looks_without_a_policy(as_: As, lin: User, project: Project) -> None:
    text = page(as_, lin, "monitors", project)
    assert "Nobody set a policy" in text and "No window yet" in text and "expected 0." in text
    assert all(title in text for title in ("Class mix", "Confidence", "Volume", "Wrong answers"))


def test_the_board_says_what_the_budget_promised_and_what_came(as_: As, lin: User, moved: MonitorReading) -> None:
    text = page(as_, lin, "monitors", moved.project)
    assert "Budget 2 false alarms a month; expected 1." in text, "class mix had too few answers to tell"
    assert "The last 90 days 1 alarm, of which 0 true." in text
    assert "“city”: “Lima” went from 0 % to 100 %" in text or "another value" in text
    assert "<polyline" in text and "Too few to tell" in text


def test_a_true_alarm_is_counted_with_its_delay(moved: MonitorReading) -> None:
    Alert.objects.update(verdict="true")
    line = next(each for each in board_of(moved.project, timezone.now()).lines if each.settings.type == "column-drift")
    assert (line.score.alarms, line.score.true, line.score.precision) == (1, 1, 1.0)
    assert line.score.delay == timedelta(days=1), "from the begin of the window to the look at its end"


def test_a_window_shows_both_sides_of_each_feature(as_: As, lin: User, moved: MonitorReading) -> None:
    text = page(as_, lin, "reading", moved.project, moved.pk)
    assert "1 of 2 moved" not in text and "city" in text and "feature-0" in text
    figures = as_(lin).get(reverse("monitors:reading_figures", args=[moved.project_id, moved.pk])).json()
    assert list(figures) == ["feature-0", "feature-1"]
    before, now = figures["feature-0"]["data"]
    assert sum(before["y"]) == pytest.approx(100, abs=1) and max(now["y"]) == 100
    for figure in figures.values():
        go.Figure(figure)


def test_the_heat_map_fetches_what_it_draws_alone(moved: MonitorReading) -> None:
    period, project = period_named("7d", timezone.now()), moved.project
    with CaptureQueriesContext(connection) as caught:
        over_time = features_over_time(project, 1, period)
    (statement,) = [each["sql"] for each in caught.captured_queries]
    assert "features" not in statement and "sentence" not in statement
    drawn = {(each["name"], moved.since, moved.until, each["score"], each["drifted"]) for each in moved.features}
    assert {(c.feature, c.since, c.until, c.score, c.drifted) for c in over_time.cells} == drawn
    assert {c.reading for c in over_time.cells} == {moved.pk} and over_time.begins is None


def test_where_windows_are_too_many_the_newest_are_drawn_and_it_says_so(
    as_: As, lin: User, moved: MonitorReading, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = MonitorReading.objects.get(pk=moved.pk)
    older.pk, older.until = None, moved.until - timedelta(hours=1)
    older.save()
    monkeypatch.setattr(board, "MOST_READINGS", 1)
    figure = as_(lin).get(reverse("monitors:figures", args=[moved.project_id]), {"period": "7d"}).json()["features"]
    assert {each for row in figure["data"][0]["customdata"] for each in row} == {moved.pk}
    assert "Only the newest windows are drawn, from" in figure["layout"]["meta"]["finding"]


def test_the_heat_map_may_be_of_one_version(as_: As, lin: User, moved: MonitorReading) -> None:
    url = reverse("monitors:figures", args=[moved.project_id]) + "?period=7d&version="
    assert [len(as_(lin).get(url + n).json()["features"]["data"]) for n in ("1", "2")] == [1, 0]
    text = as_(lin).get(reverse("monitors:monitors", args=[moved.project_id]) + "?period=7d&version=1").text
    assert f"{url.split('?')[0]}?period=7d&amp;version=1" in text and 'name="slice"' not in text


def test_readings_of_before_get_what_is_drawn_of_them(moved: MonitorReading) -> None:
    MonitorReading.objects.update(cells=[])
    fill = import_module("apps.monitoring.migrations.0015_cells_of_readings")._FILL
    with connection.cursor() as cursor:
        cursor.execute(fill)
    found = {row.pk: row.cells for row in MonitorReading.objects.all()}
    assert found == {row.pk: feature_cells(row.features) for row in MonitorReading.objects.all()}
    assert found[moved.pk] == moved.cells and len(moved.cells) == 2 and [] in found.values()


def test_the_heat_map_leads_from_a_cell_to_its_window(as_: As, lin: User, moved: MonitorReading) -> None:
    url = reverse("monitors:figures", args=[moved.project_id])
    figure = as_(lin).get(url, {"period": "7d"}).json()["features"]
    go.Figure(figure)
    [heat] = figure["data"]
    assert heat["y"][0] == "column-drift: city" and heat["z"][0][-1] == 6
    assert page_of(heat, 0, -1) == page_of_cell(moved, "city")
    assert "1 times one had moved" in figure["layout"]["meta"]["finding"]
    assert figure["layout"]["meta"]["height"] == "13rem" and len(heat["y"]) == 2


def page_of_cell(moved: MonitorReading, feature: str) -> str:
    return reverse("monitors:reading", args=[moved.project_id, moved.pk]) + f"?feature={feature}"


def test_a_window_of_another_project_is_not_there(
    as_: As, lin: User, moved: MonitorReading, make_project: Callable[..., Project]
) -> None:
    other = make_project()
    for name in ("reading", "reading_figures"):
        assert as_(lin).get(reverse(f"monitors:{name}", args=[other.pk, moved.pk])).status_code == 404


# More or less


def weigh(as_: As, user: User, project: Project, **more: str) -> object:
    return as_(user).post(
        reverse("monitors:weigh", args=[project.pk]), {"monitor": "column-drift", "way": "less"} | more
    )


def test_a_click_shows_by_replay_what_it_would_have_changed_and_sets_nothing(
    as_: As, lin: User, moved: MonitorReading
) -> None:
    answer = weigh(as_, lin, moved.project)
    assert answer.status_code == 200 and "0.67 times its share" in answer.text  # type: ignore[attr-defined]
    assert "recorded window, 1 would have been raised instead of 1" in answer.text  # type: ignore[attr-defined]
    assert MonitorPolicyVersion.objects.count() == 1


def test_the_second_click_sets_it(as_: As, lin: User, moved: MonitorReading) -> None:
    assert weigh(as_, lin, moved.project, set="1").status_code == 302  # type: ignore[attr-defined]
    assert policy_in_force(MONITOR_POLICY, moved.project).monitors[0].weight == 0.5
    assert MonitorPolicyVersion.objects.count() == 2


def test_a_monitor_that_is_not_there_cannot_be_weighed(as_: As, lin: User, moved: MonitorReading) -> None:
    assert weigh(as_, lin, moved.project, monitor="nobody").status_code == 422  # type: ignore[attr-defined]
    assert weigh(as_, lin, moved.project, way="sideways").status_code == 422  # type: ignore[attr-defined]


def test_a_replay_counts_by_the_thresholds_that_the_windows_kept(moved: MonitorReading) -> None:
    policy = policy_in_force(MONITOR_POLICY, moved.project)
    MonitorReading.objects.filter(pk=moved.pk).update(
        score=2.0, thresholds={"0.25": 3.0, "0.5": 2.5, "1.0": 1.9, "2.0": 1.5, "4.0": 1.2}
    )
    less = replayed(moved.project, policy, policy.monitors[0], 0.25, timezone.now())
    assert (less.windows, less.raised, less.would) == (1, 1, 0) and less.factor == pytest.approx(0.4)
    assert threshold_at({"1.0": 2.0}, 3.0) == 2.0


# The policy


def posted(page_text: str, **more: str) -> dict[str, object]:
    """The fields of the form as a browser sends them."""
    from html.parser import HTMLParser

    found: dict[str, list[str]] = {}

    class Fields(HTMLParser):
        select, area = "", ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            has = dict(attrs)
            if tag == "select":
                self.select = has.get("name") or ""
            if tag == "option" and "selected" in has and self.select:
                found.setdefault(self.select, []).append(has.get("value") or "")
            if tag == "input" and has.get("name") and has.get("type") != "checkbox":
                found.setdefault(has["name"] or "", []).append(has.get("value") or "")

    Fields().feed(page_text.split('policy/set/" novalidate', 1)[1].split("</form>", 1)[0])
    return {**found, **more}


def test_the_policy_is_read_changed_and_set_as_rows(as_: As, lin: User, watched: Watched) -> None:
    project = watched({"type": "class_mix", "window": "12h"}, budget=2)
    text = page(as_, lin, "policy", project)
    assert "Class mix" in text and "windows of 12h" in text
    form = posted(text, budget="3")
    answer = as_(lin).post(reverse("monitors:policy_set", args=[project.pk]), form)
    assert answer.status_code == 302
    assert policy_in_force(MONITOR_POLICY, project).written() == {
        "budget": 3,
        "cooldown": "1h",
        "monitors": [{"type": "class_mix", "window": "12h"}],
    }


@pytest.mark.parametrize("name", list(MONITORS))
def test_every_type_can_be_added_and_set_with_its_defaults(as_: As, lin: User, project: Project, name: str) -> None:
    url = reverse("monitors:policy_set", args=[project.pk])
    begun = as_(lin).post(url, {"budget": "1", "cooldown": "1h", "add": "1", "add_type": name})
    assert begun.status_code == 200 and not MonitorPolicyVersion.objects.exists()
    assert as_(lin).post(url, posted(begun.text)).status_code == 302
    [settings] = policy_in_force(MONITOR_POLICY, project).monitors
    assert settings.type == name and settings.parameters == {}


def test_what_a_row_may_not_say_stays_in_the_form(as_: As, lin: User, watched: Watched) -> None:
    project = watched({"type": "class_mix"})
    form = posted(page(as_, lin, "policy", project))
    window = next(name for name in form if name.endswith("-window"))
    url = reverse("monitors:policy_set", args=[project.pk])
    refused = as_(lin).post(url, {**form, window: "5m"})
    assert refused.status_code == 422 and "a window is 15m to 28d long" in refused.text
    assert as_(lin).post(url, {**form, "budget": "many"}).status_code == 422
    assert "it is at least 0.01" in as_(lin).post(url, {**form, "budget": "0"}).text
    assert MonitorPolicyVersion.objects.count() == 1


def test_the_api_gives_monitors_readings_and_verdicts(lin: User, moved: MonitorReading) -> None:
    client, project = api_of(lin), moved.project
    board = client.get(address(project, "monitors/")).json()
    assert (board["budget"], board["expected"], board["alarms"]) == (2, 1, 1)
    first = board["monitors"][0]
    assert (first["name"], first["last"]["outcome"], first["share"]) == ("column-drift", "raised", 1)
    readings = client.get(address(project, "monitor-readings/")).json()["results"]
    assert {each["monitor"] for each in readings} == {"column-drift", "class_mix"}
    [alert] = client.get(address(project, "alerts/")).json()["results"]
    assert (alert["monitors"], alert["severity"], alert["verdict"]) == (["column-drift"], "warns", "")
    assert client.get(address(project, "monitor-policy/")).json()["number"] == 1

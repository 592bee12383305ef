"""Service levels: the target, the laps, the export."""

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.pages.periods import period_named
from apps.projects.models import Project
from apps.slas import charts, selectors
from apps.slas.models import Lap, Stage, Target
from apps.slas.services import StageTimes, lap_record

As = Callable[[User], Client]
HX = {"HX-Request": "true"}
HOUR = 3600.0


def lap(project: Project, hours: float, *, at: datetime | None = None, promotion: int | None = None) -> Lap:
    """A lap with half of its time in annotate, most of that waiting."""
    seconds = hours * HOUR
    parts = {Stage.COLLECT: 0.1, Stage.ANNOTATE: 0.5, Stage.TRAIN: 0.1, Stage.EVALUATE: 0.1, Stage.DEPLOY: 0.2}
    return lap_record(
        project=project,
        promotion_id=promotion or Lap.objects.count() + 1,
        model_number=1,
        labels=100,
        median_s=seconds / 2,
        p90_s=seconds,
        longest_s=seconds,
        waiting_share=0.8,
        stages={s: StageTimes(0.8 * x * seconds, 0.2 * x * seconds, 1.0, 1.0) for s, x in parts.items()},
        at=at or timezone.now(),
    )


def levels(project: Project, period: str = "365d") -> selectors.Levels:
    return selectors.levels_of(project, period_named(period, timezone.now()), selectors.first_lap_at(project))


def test_before_the_first_lap_the_page_says_when_one_closes(as_: As, mona: User, project: Project) -> None:
    page = as_(mona).get(reverse("slas:sla", args=[project.pk]))
    assert page.status_code == 200 and "No lap has closed yet" in page.text


def test_laps_are_counted_against_the_target_they_had(as_: As, mona: User, project: Project) -> None:
    lap(project, 61)
    lap(project, 80)
    as_(mona).post(reverse("slas:target", args=[project.pk]), {"hours": "100"})
    assert levels(project).in_time == 1  # the breach of the 72 h target stays a breach
    page = as_(mona).get(reverse("slas:sla", args=[project.pk]))
    assert "Lap 2" in page.text and "80 h" in page.text


def test_a_breach_names_the_stage_with_most_time(project: Project) -> None:
    assert lap(project, 80).cause == Stage.ANNOTATE
    assert lap(project, 20).cause == ""


def test_a_promotion_closes_one_lap(project: Project) -> None:
    assert lap(project, 61, promotion=7) == lap(project, 99, promotion=7)
    assert Lap.objects.count() == 1


def test_a_period_leaves_older_laps_out(project: Project) -> None:
    lap(project, 61, at=timezone.now() - timedelta(weeks=10))
    lap(project, 50)
    assert [x.p90_s for x in levels(project, "30d").laps] == [50 * HOUR]
    assert len(levels(project).laps) == 2


def test_releases_are_counted_per_week_since_the_first_lap(project: Project) -> None:
    for weeks in (4, 3, 2, 1):
        lap(project, 61, at=timezone.now() - timedelta(weeks=weeks))
    assert levels(project).per_week == pytest.approx(1.0, abs=0.01)


def test_nine_laps_in_ten_meet_the_goal_and_eight_do_not(project: Project) -> None:
    for _ in range(9):
        lap(project, 61)
    lap(project, 90)
    assert levels(project).meets_goal is True
    lap(project, 90)
    assert levels(project).meets_goal is False


@pytest.mark.parametrize("hours", ["0", "9000", "soon", ""])
def test_a_wrong_target_changes_nothing(as_: As, mona: User, project: Project, hours: str) -> None:
    answer = as_(mona).post(reverse("slas:target", args=[project.pk]), {"hours": hours}, headers=HX)
    assert answer.status_code == 422 and 'id="target"' in answer.text
    assert not Target.objects.exists()


def test_lin_sees_the_target_but_cannot_move_it(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("slas:sla", args=[project.pk]))
    assert reverse("slas:target", args=[project.pk]) not in page.text
    assert as_(lin).post(reverse("slas:target", args=[project.pk]), {"hours": "1"}).status_code == 403
    assert not Target.objects.exists()


@pytest.mark.parametrize("name", ["sla", "levels", "breaches", "figures", "export"])
def test_ada_and_mallory_see_no_service_level(as_: As, ada: User, mallory: User, project: Project, name: str) -> None:
    url = reverse(f"slas:{name}", args=[project.pk])
    assert as_(ada).get(url).status_code == 403
    assert as_(mallory).get(url).status_code == 404


@pytest.mark.parametrize("hours", [0.01, 1.0, 61.0, 900.0])
def test_laps_of_any_length_are_figures_that_plotly_takes(as_: As, mona: User, project: Project, hours: float) -> None:
    for _ in range(6):
        lap(project, hours)
    for figure in as_(mona).get(reverse("slas:figures", args=[project.pk])).json().values():
        go.Figure(figure)


def test_a_breach_is_a_square_and_the_target_a_line(project: Project) -> None:
    lap(project, 61)
    lap(project, 80)
    figure = charts.laps(levels(project))
    marks = {t["name"]: t["marker"]["symbol"] for t in figure["data"]}
    assert marks == {"in time": "circle", "breach": "square"}
    assert figure["layout"]["shapes"][0]["y0"] == 72.0


def test_laps_of_seconds_get_an_axis_of_their_own(project: Project) -> None:
    lap(project, 40 / HOUR)
    figure = charts.laps(levels(project))
    assert "shapes" not in figure["layout"]
    assert figure["layout"]["yaxis"]["ticksuffix"] == " s"


def test_waiting_is_hatched_and_work_is_solid(project: Project) -> None:
    lap(project, 61)
    bars = {t["name"]: t["marker"] for t in charts.stages(levels(project))["data"]}
    assert bars["Annotate, waiting"]["pattern"]["shape"] == "/"
    assert "pattern" not in bars["Annotate, work"]


def test_the_export_has_a_row_a_lap_whose_parts_add_up(as_: As, mona: User, project: Project) -> None:
    lap(project, 61)
    answer = as_(mona).get(reverse("slas:export", args=[project.pk]))
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 1 and rows[0]["breached"] == "False"
    parts = sum(float(rows[0][f"{stage}_{kind}_s"]) for stage in Stage.values for kind in ("wait", "work"))
    assert parts == pytest.approx(61 * HOUR)

"""Releases and runs as marks on charts over time."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import plotly.graph_objects as go
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.marks import marked, marks_of
from apps.datasets.models import Example
from apps.labeling.models import Annotation, Assignment, AssignmentState, Lane
from apps.monitoring import charts, selectors
from apps.projects.models import Project
from apps.releases.services import model_promote, model_roll_back
from tests.conftest import NOON
from tests.monitoring.test_pages import DAY, answered
from tests.rows import HOUR, labeled, learned, model

As = Callable[[User], Client]


def released(project: Project, lin: User) -> None:
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON + HOUR)
    model_promote(version=model(project, base=first.run), reason="", by=lin, at=NOON + 2 * HOUR)
    model_roll_back(project=project, reason="A drill.", expected_champion=2, by=lin, at=NOON + 3 * HOUR)


def test_releases_are_named_and_runs_are_not(project: Project, lin: User, make_project: Callable[..., Project]) -> None:
    released(project, lin)
    released(make_project(), lin)
    marks = marks_of(project.pk, NOON, NOON + 4 * HOUR)
    assert [m.words for m in marks] == ["", "", "v1", "v2", "back to v1"]
    assert [m.words for m in marks_of(project.pk, NOON + 1.5 * HOUR, NOON + 2.5 * HOUR)] == ["v2"]


def test_releases_too_near_for_two_names_have_one(project: Project, lin: User) -> None:
    released(project, lin)
    day = marks_of(project.pk, NOON - 80 * HOUR, NOON + 4 * HOUR)
    assert [(m.words, m.named) for m in day if m.words] == [
        ("v1", False),
        ("v1 … v2", False),
        ("v1 … back to v1", True),
    ]
    figure: dict[str, Any] = {"layout": {}}
    assert [note["text"] for note in marked(figure, day)["layout"]["annotations"]] == ["v1 … back to v1"]


def test_each_mark_is_a_line_that_plotly_draws(project: Project, lin: User) -> None:
    released(project, lin)
    answered(project, 5, at=NOON)
    figure = charts.latency(selectors.traffic_of(project, DAY))
    before = len(figure["layout"]["annotations"])
    drawn = marked(figure, marks_of(project.pk, NOON, NOON + 4 * HOUR))["layout"]
    assert len(drawn["shapes"]) == 5 and len(drawn["annotations"]) == before + 3
    assert drawn["shapes"][2]["x0"] == (NOON + HOUR).isoformat()
    go.Figure(figure)


def test_the_monitor_marks_all_four_charts_on_one_axis_in_the_labels_colors(
    as_: As, project: Project, lin: User
) -> None:
    labeled(project)
    model_promote(version=model(project), reason="", by=lin, at=timezone.now() - timedelta(minutes=9))
    answered(project, 5)
    project.labels.filter(name="ham").update(color="#123456")
    figures = as_(lin).get(reverse("monitoring:figures", args=[project.pk]) + "?period=1h").json()
    assert len({tuple(f["layout"]["xaxis"]["range"]) for f in figures.values()}) == 1
    for figure in figures.values():
        assert "v1" in [a["text"] for a in figure["layout"]["annotations"]]
    assert figures["mix"]["data"][0]["marker"]["color"] == "#123456"


def test_answers_over_time_are_marked_for_those_who_may_see_runs(
    as_: As, project: Project, lin: User, mona: User, rosa: User, ada: User
) -> None:
    released(project, lin)
    answered_by(project, ada)
    url = reverse("quality:people_figures", args=[project.pk]) + "?from=2026-11-02&to=2026-11-02"
    drawn = as_(mona).get(url).json()["over_time"]["layout"]
    assert [a["text"] for a in drawn["annotations"]] == ["v1 … back to v1"], "within a twentieth of the day"
    assert drawn["shapes"][-1]["x0"] == (NOON + 3 * HOUR).isoformat()
    unmarked = as_(rosa).get(url).json()["over_time"]["layout"]  # a reviewer sees no models
    assert "shapes" not in unmarked
    own = as_(ada).get(reverse("quality:mine_figures", args=[project.pk])).json()["over_time"]
    assert own["data"] and "shapes" not in own["layout"]


def answered_by(project: Project, person: User) -> None:
    """Two answers, four hours apart."""
    for example, hours in zip(Example.objects.filter(project=project)[:2], (0, 4), strict=True):
        about = {"project": project, "example": example}
        at = NOON + hours * HOUR
        assignment = Assignment.objects.create(
            **about,
            slot=0,
            holder=person,
            state=AssignmentState.ANSWERED,
            token=uuid.uuid4(),
            leased_at=at,
            leased_until=at,
            lane=Lane.ACTIVE,
            rank=1,
        )
        Annotation.objects.create(
            **about,
            assignment=assignment,
            annotator=person,
            client_id=uuid.uuid4(),
            label=project.labels.first(),
            shown_at=at,
            answered_at=at,
            active_ms=1200,
            withdrawn_at=None,
        )


def test_the_learning_curve_marks_the_runs_and_names_those_that_have_room(as_: As, project: Project, lin: User) -> None:
    labeled(project)
    for labels in (10, 11, 40, 44):
        report = learned(model(project).run)
        report.active_points = [{**report.active_points[0], "labels": labels}]
        report.save()
    layout = as_(lin).get(reverse("evaluation:figures", args=[project.pk])).json()["learning"]["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [10, 11, 40]
    named = {a["text"]: a["x"] for a in layout["annotations"] if a["text"].startswith("run")}
    assert named == {"run 3": 40, "run 2": 11}
    go.Figure({"layout": layout})

"""The list of runs, the trigger, the curves."""

from collections.abc import Callable

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.projects.models import Project
from apps.training import charts
from apps.training.models import Run, RunState, Trigger
from apps.training.selectors import Curves
from tests.rows import labeled, started, trained

As = Callable[[User], Client]


def test_an_empty_project_says_when_the_first_run_starts(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("training:runs", args=[project.pk]))
    assert page.status_code == 200
    assert "No run yet" in page.text and "starts by itself at 100 new labels" in page.text


def test_the_list_names_each_run(as_: As, mona: User, project: Project) -> None:
    labeled(project)
    trained(project)
    page = as_(mona).get(reverse("training:runs", args=[project.pk]))
    assert "Run 1" in page.text and "Lin asked for it." in page.text
    assert reverse("loop:run_start", args=[project.pk]) not in page.text  # a manager may look only


@pytest.mark.parametrize("name", ["training:runs", "training:curves", "training:log"])
def test_an_annotator_and_a_stranger_see_no_run(as_: As, ada: User, mallory: User, project: Project, name: str) -> None:
    labeled(project)
    run = started(project)
    url = reverse(name, args=[project.pk] if name == "training:runs" else [project.pk, run.pk])
    refused = as_(ada).get(url)
    assert refused.status_code == 403 and "see runs and models" in refused.text
    assert as_(mallory).get(url).status_code == 404


def test_a_run_of_another_project_is_not_shown(as_: As, lin: User, make_project: Callable[..., Project]) -> None:
    mine, other = make_project(), make_project()
    labeled(other)
    run = started(other)
    assert as_(lin).get(reverse("training:curves", args=[mine.pk, run.pk])).status_code == 404
    assert as_(lin).post(reverse("training:cancel", args=[mine.pk, run.pk])).status_code == 404
    assert Run.objects.get().state == RunState.QUEUED


def test_lin_cancels_a_queued_run(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = started(project)
    answer = as_(lin).post(reverse("training:cancel", args=[project.pk, run.pk]))
    assert (answer.status_code, answer.url) == (302, reverse("releases:run", args=[project.pk, run.pk]))  # type: ignore[attr-defined]
    assert Run.objects.get().state == RunState.CANCELED


def test_mona_cannot_cancel_and_the_run_stays(as_: As, mona: User, project: Project) -> None:
    labeled(project)
    run = started(project)
    assert as_(mona).post(reverse("training:cancel", args=[project.pk, run.pk])).status_code == 403
    assert Run.objects.get().state == RunState.QUEUED


def test_the_trigger_is_saved(as_: As, lin: User, project: Project) -> None:
    form = {"enabled": "on", "new_labels": 40, "debounce_s": 5, "kind": "full"}
    assert as_(lin).post(reverse("training:trigger", args=[project.pk]), form).status_code == 302
    row = Trigger.objects.get()
    assert (row.enabled, row.new_labels, row.debounce_s, row.kind) == (True, 40, 5, "full")


def test_a_wrong_trigger_keeps_its_input_and_changes_nothing(as_: As, lin: User, project: Project) -> None:
    form = {"enabled": "on", "new_labels": 0, "debounce_s": 5, "kind": "full"}
    answer = as_(lin).post(reverse("training:trigger", args=[project.pk]), form, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert 'id="trigger"' in answer.text and "1 field needs a change" in answer.text
    assert not Trigger.objects.exists()


def test_the_curves_of_a_run_are_figures_that_plotly_takes(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = trained(project)
    figures = as_(lin).get(reverse("training:curves", args=[project.pk, run.pk])).json()
    assert figures["loss"]["data"][0]["x"] == [33, 66, 100]
    for figure in figures.values():
        go.Figure(figure)


def test_a_run_without_a_point_has_figures_that_say_so() -> None:
    nothing = Curves((), (), (), (), ())
    for figure in charts.curves(Run(number=1), nothing, 0.9).values():
        go.Figure(figure)
        assert figure["layout"]["meta"]["empty"]


def test_the_labels_at_the_ends_of_two_close_lines_do_not_meet() -> None:
    found = Curves((1, 2), (1.0, 0.44), (1.1, 0.45), (None, None), (None, None))
    shifts = [a["yshift"] for a in charts.loss(found, 2)["layout"]["annotations"]]
    assert sorted(shifts) == [-7, 7]

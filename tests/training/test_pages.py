"""The list of runs, the trigger, the curves."""

import itertools
import re
from collections.abc import Callable

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.errors import Invalid
from apps.evaluation.models import Outcome, Report
from apps.pages.line_ends import APART_PX, HEIGHT_PX, spread
from apps.projects.models import Project
from apps.training import charts
from apps.training.models import Run, RunState, RunTrigger, Trigger
from apps.training.selectors import Curves
from apps.training.services.triggers import trigger_set
from tests.conftest import NOON
from tests.rows import labeled, model, started, trained

As = Callable[[User], Client]


def test_an_empty_project_says_when_the_first_run_starts(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("training:runs", args=[project.pk]))
    assert page.status_code == 200
    assert "No run yet" in page.text and "starts by itself at 100 new labels" in page.text
    assert "0 new labels; it starts at 100." in page.text


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
    assert (answer.status_code, answer.url) == (302, reverse("lineage:run", args=[project.pk, run.pk]))  # type: ignore[attr-defined]
    assert Run.objects.get().state == RunState.CANCELED


def test_mona_cannot_cancel_and_the_run_stays(as_: As, mona: User, project: Project) -> None:
    labeled(project)
    run = started(project)
    assert as_(mona).post(reverse("training:cancel", args=[project.pk, run.pk])).status_code == 403
    assert Run.objects.get().state == RunState.QUEUED


FORM = {"enabled": "on", "new_labels": "40", "minutes": "", "disagreement_points": "", "debounce_s": 5, "kind": "full"}


def test_the_trigger_is_saved(as_: As, lin: User, project: Project) -> None:
    assert as_(lin).post(reverse("training:trigger", args=[project.pk]), FORM).status_code == 302
    row = Trigger.objects.get()
    assert (row.enabled, row.new_labels, row.debounce_s, row.kind) == (True, 40, 5, "full")
    assert (row.minutes, row.disagreement_points) == (None, None)


def test_an_empty_field_switches_its_cause_off_and_the_page_says_how_far_the_others_are(
    as_: As, lin: User, project: Project
) -> None:
    form = FORM | {"new_labels": "", "minutes": "60", "disagreement_points": "10"}
    as_(lin).post(reverse("training:trigger", args=[project.pk]), form)
    row = Trigger.objects.get()
    assert (row.new_labels, row.minutes, row.disagreement_points) == (None, 60, 10)
    page = as_(lin).get(reverse("training:runs", args=[project.pk])).text
    assert "60 min after the last or when people contradict the model by 10 points too much" in page
    assert "No new label, so 60 min do not start a run." in page
    assert "0 of 30 answers to compare with the model’s suggestions." in page and "Off." in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"new_labels": "0"}, "1 field needs a change. Nothing was saved."),
        ({"minutes": "-5"}, "1 field needs a change. Nothing was saved."),
        ({"disagreement_points": "ten"}, "Enter a whole number."),
        ({"disagreement_points": "101", "debounce_s": ""}, "2 fields need a change. Nothing was saved."),
        ({"new_labels": ""}, "Every cause is empty, so no run would ever start by itself."),
    ],
)
def test_a_wrong_trigger_keeps_its_input_and_changes_nothing(
    as_: As, lin: User, project: Project, change: dict[str, str], sentence: str
) -> None:
    url = reverse("training:trigger", args=[project.pk])
    answer = as_(lin).post(url, FORM | change, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert 'id="trigger"' in answer.text and sentence in answer.text
    assert all(f'value="{value}"' in answer.text for value in change.values() if value)
    assert not Trigger.objects.exists() and not Event.objects.filter(verb="trigger.set").exists()


def test_a_trigger_without_a_cause_may_be_switched_off(as_: As, lin: User, project: Project) -> None:
    form = {name: value for name, value in FORM.items() if name != "enabled"} | {"new_labels": ""}
    assert as_(lin).post(reverse("training:trigger", args=[project.pk]), form).status_code == 302
    assert "The trigger is off" in as_(lin).get(reverse("training:runs", args=[project.pk])).text


def test_the_list_says_which_trigger_fired(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = started(project)
    Run.objects.update(trigger_type=RunTrigger.MINUTES, trigger="60 of 60 min with 3 new labels.")
    page = as_(lin).get(reverse("training:runs", args=[project.pk])).text
    assert "By time." in page and "60 of 60 min with 3 new labels." in page
    assert "By time: 60 of 60 min" in as_(lin).get(reverse("lineage:run", args=[project.pk, run.pk])).text


def test_the_trigger_is_read_and_changed_over_the_api_and_the_rest_stays(as_: As, lin: User, project: Project) -> None:
    url = reverse("api-trigger", args=[project.pk])
    assert as_(lin).get(url).json() == {
        "enabled": True,
        "new_labels": 100,
        "minutes": None,
        "disagreement_points": None,
        "debounce_s": 20,
        "kind": "incremental",
        "conditions": [{"cause": "labels", "met": False, "sentence": "0 new labels; it starts at 100"}],
    }
    answer = as_(lin).patch(url, {"new_labels": None, "minutes": 30}, content_type="application/json")
    assert answer.status_code == 200
    assert (answer.json()["new_labels"], answer.json()["minutes"], answer.json()["debounce_s"]) == (None, 30, 20)
    (event,) = Event.objects.filter(verb="trigger.set")
    assert event.sentence == "Lin set the training trigger: 30 min after the last, incremental."
    as_(lin).patch(url, {"new_labels": 7}, content_type="application/json")
    last = Event.objects.filter(verb="trigger.set").order_by("sequence").last()
    assert last is not None and (last.before["new_labels"], last.after["new_labels"]) == (None, 7)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"new_labels": 0}, "greater than or equal to 1"),
        ({"minutes": -1}, "greater than or equal to 1"),
        ({"disagreement_points": "ten"}, "valid integer"),
        ({"new_labels": None}, "no run would ever start by itself"),
    ],
)
def test_the_api_refuses_a_wrong_trigger_and_changes_nothing(
    as_: As, lin: User, project: Project, change: dict[str, object], sentence: str
) -> None:
    answer = as_(lin).patch(reverse("api-trigger", args=[project.pk]), change, content_type="application/json")
    assert answer.status_code in (400, 422) and sentence in answer.text
    assert not Trigger.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"new_labels": 0}, "new_labels"),
        ({"minutes": 525_601}, "minutes"),
        ({"disagreement_points": -3}, "disagreement_points"),
        ({"debounce_s": -1}, "debounce_s"),
        ({"kind": "half"}, "kind"),
        ({"new_labels": None}, "enabled"),
    ],
)
def test_the_service_refuses_what_no_form_would_send(
    lin: User, project: Project, change: dict[str, object], field: str
) -> None:
    good: dict[str, object] = {"enabled": True, "new_labels": 10, "debounce_s": 0, "kind": "full"}
    with pytest.raises(Invalid) as refused:
        trigger_set(project=project, by=lin, at=NOON, **(good | change))  # type: ignore[arg-type]
    assert refused.value.details["field"] == field
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
    train, held = charts.loss(found, 2)["layout"]["annotations"]
    scale = HEIGHT_PX / 1.1  # pixels of a nat: the axis goes from 0 to the highest point
    apart = scale * (held["y"] - train["y"]) + held["yshift"] - train["yshift"]
    assert APART_PX - 0.2 < apart < APART_PX + 0.2  # the shifts are rounded


def test_labels_of_lines_that_end_far_apart_stay_at_their_lines() -> None:
    found = Curves((1, 2), (1.0, 0.1), (1.1, 0.9), (None, None), (None, None))
    assert [a["yshift"] for a in charts.loss(found, 2)["layout"]["annotations"]] == [0, 0]


@pytest.mark.parametrize("places", [[5], [1, 2, 3, 4], [0, 0, 0], [0, 14, 28], [100, 3, 99, 4], [10, 24.5, 25, 60]])
def test_words_at_ends_are_moved_apart_in_their_order(places: list[float]) -> None:
    there = [p + s for p, s in zip(places, spread(places), strict=True)]
    ranked = [there[i] for i in sorted(range(len(places)), key=lambda i: places[i])]
    assert all(b - a >= APART_PX - 1e-9 for a, b in itertools.pairwise(ranked))
    assert sum(there) == pytest.approx(sum(places))


def numbers_shown(page: str) -> list[int]:
    return [int(n) for n in re.findall(r"compare-(\d+)", page)]


def test_the_list_shows_accuracy_and_the_change_against_the_champion(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    first = model(project)
    model(project, base=first.run)
    page = " ".join(as_(lin).get(reverse("training:runs", args=[project.pk])).text.split())
    assert page.count("90.0 %") == 2
    assert "+1.9" in page and "+0.3 to +3.6" in page


def test_runs_are_chosen_by_kind_state_and_verdict(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    first = model(project)
    model(project, Outcome.FAIL, base=first.run)
    started(project)
    browser, url = as_(lin), reverse("training:runs", args=[project.pk])
    for query, wanted in (
        ("", [3, 2, 1]),
        ("?verdict=fail", [2]),
        ("?verdict=none", [3]),
        ("?kind=full&verdict=pass", [1]),
        ("?state=queued", [3]),
        ("?state=nonsense&sort=nonsense", [3, 2, 1]),
    ):
        assert numbers_shown(browser.get(url + query).text) == wanted, query
    assert "No run is like that" in browser.get(url + "?state=canceled").text


def test_runs_are_sorted_by_accuracy_and_those_without_one_come_last(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    first = model(project)
    second = model(project, base=first.run)
    started(project)
    metrics = {**second.report.metrics, "accuracy": {"value": 0.95, "low": 0.9, "high": 0.99}}
    Report.objects.filter(pk=second.report.pk).update(metrics=metrics)
    url = reverse("training:runs", args=[project.pk])
    assert numbers_shown(as_(lin).get(url + "?sort=accuracy").text) == [2, 1, 3]
    page = as_(lin).get(url + "?sort=accuracy&kind=full").text
    assert "?page=1&kind=full&amp;sort=accuracy" in page, "the live part asks for the list as it was chosen"

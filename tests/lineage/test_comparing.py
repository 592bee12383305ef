"""Runs side by side: what differs, how each class fares, what it cost, and which sentences stand where nothing can be shown."""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.evaluation.models import Outcome, Report
from apps.lineage.comparing import MOST_POINTS, comparison_of, curves_compared
from apps.projects.models import Project
from apps.training.models import Run, RunPoint
from tests.conftest import NOON
from tests.rows import HOUR, labeled, model, started

As = Callable[[User], Client]


@pytest.fixture
def two(project: Project) -> tuple[Run, Run]:
    """A full run and an incremental one from it, which costs a tenth, finds less ham and more spam, and fails."""
    labeled(project)
    first = model(project).run
    second = model(project, Outcome.FAIL, at=NOON + HOUR, base=first).run
    Run.objects.filter(pk=first.pk).update(
        device_s=600, packages={"torch": "2.0", "numpy": "2.1"}, code_version="a" * 40
    )
    Run.objects.filter(pk=second.pk).update(
        device_s=60,
        packages={"torch": "2.1", "numpy": "2.1"},
        code_version="b" * 40,
        recipe={"epochs": 3, "batch_size": 128, "learning_rate": 0.001},
    )
    Report.objects.filter(run=second).update(
        per_class=[
            {"label": "ham", "support": 50, "recall": 0.7, "precision": 0.9},
            {"label": "spam", "support": 50, "recall": 0.94, "precision": 0.9},
            {"label": "eggs", "support": 0, "recall": None, "precision": None},
        ]
    )
    return first, second


def url(project: Project, name: str = "compare") -> str:
    return reverse(f"lineage:{name}", args=[project.pk])


def test_only_what_differs_is_listed(project: Project, two: tuple[Run, Run]) -> None:
    settings = {s.name: s.values for s in comparison_of(project, [1, 2]).settings}
    assert settings == {
        "kind": ("Full", "Incremental"),
        "base": ("none", "1"),
        "data version": ("1", "2"),
        "code": ("a" * 12, "b" * 12),
        "epochs": ("20", "3"),
        "learning rate": ("none", "0.001"),
        "torch": ("2.0", "2.1"),
    }


def test_each_class_is_held_against_the_first_run_and_the_biggest_change_comes_first(
    project: Project, two: tuple[Run, Run]
) -> None:
    rows = comparison_of(project, [1, 2]).classes
    assert [row.label for row in rows] == ["ham", "spam", "eggs"]
    assert rows[0].cells[0] == (0.9, None)
    assert rows[0].cells[1] == (0.7, pytest.approx(-0.2))
    assert rows[2].cells == ((None, None), (None, None))
    turned = comparison_of(project, [2, 1]).classes
    assert turned[0].cells == ((0.7, None), (0.9, pytest.approx(0.2)))


def test_the_page_shows_verdict_cost_and_changes(as_: As, lin: User, project: Project, two: tuple[Run, Run]) -> None:
    page = as_(lin).get(url(project), {"runs": ["1", "2"]})
    assert page.status_code == 200
    assert "Pass" in page.text and "Fail" in page.text
    assert "600 s" in page.text or "10 min" in page.text
    assert "(−20.0)" in page.text and "(+4.0)" in page.text
    assert "judged on different data versions" in page.text
    assert "compare/figures/?runs=1,2" in page.text


def test_numbers_come_by_comma_or_one_by_one_and_each_once(
    as_: As, lin: User, project: Project, two: tuple[Run, Run]
) -> None:
    browser = as_(lin)
    for asked in (["2,1"], ["2", "1"], ["2, 1", "2"]):
        page = browser.get(url(project), {"runs": asked})
        assert [s.run.number for s in page.context["comparison"].sides] == [2, 1]


@pytest.mark.parametrize(
    ("asked", "status", "sentence"),
    [
        (["1"], 422, "Choose 2 to 8 runs; you chose 1."),
        ([",".join(str(n) for n in range(1, 10))], 422, "Choose 2 to 8 runs; you chose 9."),
        (["1,x"], 422, "“x” is not the number of a run."),
        (["1", "-2"], 422, "“-2” is not the number of a run."),
        (["1", "99999999999999999999"], 422, "is not the number of a run."),
        (["1,98,99"], 404, "This project has no run 98, 99."),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence_with_runs_to_choose_from(
    as_: As, lin: User, project: Project, two: tuple[Run, Run], asked: list[str], status: int, sentence: str
) -> None:
    page = as_(lin).get(url(project), {"runs": asked})
    assert (page.status_code, sentence in page.text) == (status, True)
    assert page.text.count('type="checkbox"') == 2
    assert as_(lin).get(url(project, "compare_figures"), {"runs": asked}).status_code == status


def test_runs_of_another_project_are_not_found(
    as_: As, lin: User, project: Project, two: tuple[Run, Run], make_project: Callable[..., Project]
) -> None:
    other = make_project()
    labeled(other)
    for i in range(3):
        model(other, at=NOON + i * HOUR)
    page = as_(lin).get(url(project), {"runs": "1,3"})
    assert (page.status_code, "This project has no run 3." in page.text) == (404, True)


def test_without_a_choice_the_page_offers_runs_and_without_a_run_says_so(as_: As, lin: User, project: Project) -> None:
    assert "No run yet" in as_(lin).get(url(project)).text
    labeled(project)
    started(project)
    page = as_(lin).get(url(project))
    assert (page.status_code, "Choose 2 to 8 runs" in page.text) == (200, True)


def test_a_run_that_is_queued_stands_beside_one_that_was_judged(
    as_: As, lin: User, project: Project, two: tuple[Run, Run]
) -> None:
    queued = started(project)
    page = as_(lin).get(url(project), {"runs": f"{queued.number},1"})
    assert (page.status_code, "Queued" in page.text) == (200, True)
    assert page.context["comparison"].classes[0].cells[0] == (None, None)


def test_the_curves_lie_over_one_another_and_plotly_takes_them(
    as_: As, lin: User, project: Project, two: tuple[Run, Run]
) -> None:
    figures = as_(lin).get(url(project, "compare_figures"), {"runs": "1,2"}).json()
    for name in ("loss", "holdout"):
        go.Figure(data=figures[name]["data"])
        assert [trace["name"] for trace in figures[name]["data"]] == ["run 1", "run 2"]
        assert len({(t["line"]["color"], t["line"]["dash"]) for t in figures[name]["data"]}) == 2
    assert figures["holdout"]["data"][0]["y"][-1] == 90.0
    assert "run 1: 90.0 %" in figures["holdout"]["layout"]["meta"]["finding"]


def test_a_long_run_is_thinned_and_keeps_its_last_point(project: Project, two: tuple[Run, Run]) -> None:
    first, _ = two
    RunPoint.objects.bulk_create(
        [RunPoint(run=first, step=1000 + i, epoch=i, train_loss=1, validation_loss=i, at=NOON) for i in range(2000)]
    )
    curve = curves_compared(project, [1, 2])[0]
    assert len(curve.epochs) <= MOST_POINTS + 1
    assert curve.loss[-1] == 1999


def test_eight_runs_cost_the_same_queries_as_two(
    as_: As, lin: User, project: Project, two: tuple[Run, Run], django_assert_num_queries: Any
) -> None:
    for i in range(2, 8):
        model(project, at=NOON + i * HOUR)
    browser = as_(lin)
    browser.get(url(project), {"runs": "1,2"})
    for asked in ("1,2", "1,2,3,4,5,6,7,8"):
        with django_assert_num_queries(8):
            assert browser.get(url(project), {"runs": asked}).status_code == 200

"""What a report says in words."""

import plotly.graph_objects as go
import pytest

from apps.evaluation import charts
from apps.evaluation.models import Outcome, Report
from apps.evaluation.reading import headline, reading_of
from apps.evaluation.selectors import predictions_of
from apps.evaluation.services import HoldoutPredictions
from apps.projects.models import Project
from tests.rows import judged, labeled, trained


def a_report(**more: object) -> Report:
    fields: dict[str, object] = {
        "examples": 100,
        "label_names": ["ham", "spam"],
        "metrics": {"accuracy": {"value": 0.9, "low": 0.84, "high": 0.95}},
        "confusion": [[45, 5], [9, 41]],
        "outcome": Outcome.PASS,
        "gates": [],
        "per_class": [],
    }
    return Report(**{**fields, **more})


def gates(*outcomes: str) -> list[dict[str, object]]:
    return [{"name": str(i), "title": "t", "outcome": o, "reason": "r"} for i, o in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        (("pass", "pass"), "Pass: all 2 gates"),
        (("pass", "fail", "pass"), "Fail: 1 of 3 gates"),
        (("pass", "inconclusive"), "Inconclusive: 1 of 2 gates cannot tell"),
    ],
)
def test_the_headline_counts_the_gates(outcomes: tuple[str, ...], words: str) -> None:
    worst = next((o for o in ("fail", "inconclusive") if o in outcomes), "pass")
    assert headline(a_report(outcome=worst, gates=gates(*outcomes))) == words


@pytest.mark.parametrize(
    ("name", "low", "high", "words"),
    [
        ("accuracy", 0.003, 0.036, "better"),
        ("accuracy", -0.036, -0.003, "worse"),
        ("accuracy", -0.003, 0.015, "may be chance"),
        ("log_loss", -0.09, -0.01, "better"),
        ("log_loss", 0.01, 0.09, "worse"),
        ("log_loss", None, None, "too few examples to tell"),
    ],
)
def test_an_interval_is_read_by_its_sign(name: str, low: float, high: float, words: str) -> None:
    report = a_report(
        metrics={name: {"value": 0.3, "low": 0.2, "high": 0.4}},
        differences={name: {"value": 0.0, "low": low, "high": high}},
    )
    assert reading_of(report).rows[0].reading == words


def test_a_difference_of_shares_is_said_in_points_with_a_true_minus() -> None:
    report = a_report(differences={"accuracy": {"value": -0.004, "low": -0.019, "high": 0.011}})
    row = reading_of(report).rows[0]
    assert (row.difference, row.between, row.candidate) == ("−0.4", "−1.9 to +1.1", "90.0 %")


def test_a_metric_that_was_not_measured_is_none_and_not_a_zero() -> None:
    row = reading_of(a_report(metrics={"accuracy": {"value": None, "low": None, "high": None}})).rows[0]
    assert (row.candidate, row.interval) == ("none", "")


def test_labels_stand_worst_first_with_what_they_are_taken_for() -> None:
    per_class = [
        {"label": "ham", "support": 50, "recall": 0.9, "precision": 0.83},
        {"label": "spam", "support": 50, "recall": 0.82, "precision": 0.89},
    ]
    classes = reading_of(a_report(per_class=per_class)).classes
    assert [(c.label, c.recall, c.mistaken_for) for c in classes] == [
        ("spam", "82 %", "“ham”, 9 times"),
        ("ham", "90 %", "“spam”, 5 times"),
    ]


def test_the_confusion_names_its_largest_mistake() -> None:
    figure = charts.confusion(a_report())
    go.Figure(figure)
    assert figure["layout"]["meta"]["finding"] == (
        "86 of 100 holdout examples are right; most often “spam” is taken for “ham”, 9 times."
    )


def test_long_names_that_are_cut_alike_stay_apart() -> None:
    names = ["a very long label name one", "a very long label name two"]
    figure = charts.confusion(a_report(label_names=names))
    assert len(set(figure["data"][0]["x"])) == 2


def test_a_run_judged_twice_keeps_its_first_report_and_its_predictions(project: Project) -> None:
    labeled(project)
    run = trained(project)
    first = judged(run)
    assert judged(run, Outcome.FAIL) == first
    said = predictions_of(first)
    assert isinstance(said, HoldoutPredictions) and said.predicted[:2] == ["ham", "spam"]

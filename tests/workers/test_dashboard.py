"""The Grafana dashboard draws figures that predictors offer, by labels that they have, and no others."""

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from fastloop_console.machine.env import ROOT
from workers.predictor import metrics

FOLDER = ROOT / "docker/grafana"
BOARD: dict[str, Any] = json.loads((FOLDER / "predictors.json").read_text())
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
OF_PROMETHEUS = {"le"}


def offered() -> dict[str, set[str]]:
    """Each series that `/metrics` has, with its labels."""
    own = [each for each in vars(metrics).values() if hasattr(each, "_labelnames")]
    labels = {each._name: set(each._labelnames) for each in own}
    return {
        metric.name + suffix: labels[metric.name]
        for metric in REGISTRY.collect()
        if metric.name in labels
        for suffix in SUFFIXES[metric.type]
    }


def expressions() -> list[str]:
    drawn = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return drawn + [each["query"] for each in BOARD["templating"]["list"] if each["type"] == "query"]


def test_the_walk_sees_what_predictors_offer() -> None:
    series = offered()
    assert series["fastloop_predictor_requests_total"] == {"project", "arm", "version"}
    assert {"fastloop_predictor_log_lost_total", "fastloop_predictor_log_waiting"} <= set(series)
    assert len(BOARD["panels"]) >= 9 and len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


@pytest.mark.parametrize("expression", expressions())
def test_every_name_is_one_that_metrics_have(expression: str) -> None:
    used = set(re.findall(r"\bfastloop_\w+", expression))
    assert used and used <= set(offered())


@pytest.mark.parametrize("expression", expressions())
def test_every_label_is_one_of_its_series(expression: str) -> None:
    labels = OF_PROMETHEUS.union(*(offered()[name] for name in re.findall(r"\bfastloop_\w+", expression)))
    grouped = {word.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for word in group.split(",")}
    matched = set(re.findall(r"(\w+)=~?\"", expression))
    assert grouped | matched <= labels


def test_legends_name_labels_that_the_expression_keeps() -> None:
    for target in (target for panel in BOARD["panels"] for target in panel["targets"]):
        kept = {word.strip() for group in re.findall(r"\bby \(([^)]*)\)", target["expr"]) for word in group.split(",")}
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= kept, target["expr"]


def test_every_figure_of_the_predictor_is_drawn() -> None:
    drawn = " ".join(expressions())
    assert {
        each._name for each in vars(metrics).values() if hasattr(each, "_labelnames") and each._name not in drawn
    } == set()


def test_prometheus_asks_with_the_key() -> None:
    job, *_ = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    assert job["authorization"]["credentials_file"] and job["static_configs"][0]["targets"] == ["predictor:8080"]

"""Examine the champion: send the test rows that nobody labeled to the predictor, and measure what it really answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.cases.simulation.source import SimulatedExample
from apps.integrations import wiring
from apps.projects import task_types
from apps.projects.models import Project
from apps.releases.selectors import champion_of
from apps.rules import metrics

ASK = 256  # test rows in one request to the predictor


def test_measures(project: Project, test: Sequence[SimulatedExample]) -> dict[str, float | None]:
    """Accuracy, macro-F1 and log-loss of the champion's answers over the wire; None without test rows or a champion."""
    if not test or champion_of(project) is None:
        return {"accuracy": None, "macro_f1": None, "log_loss": None}
    answers = [ask(project, test[i : i + ASK]) for i in range(0, len(test), ASK)]
    names = answers[0][0]
    probabilities = np.concatenate([p for _, p in answers])
    truth = np.array([names.index(item.label) for item in test], np.int64)
    return {
        "accuracy": round(metrics.accuracy(truth, probabilities), 4),
        "macro_f1": round(metrics.macro_f1(truth, probabilities), 4),
        "log_loss": round(metrics.log_loss(truth, probabilities), 4),
    }


def ask(
    project: Project, items: Sequence[SimulatedExample]
) -> tuple[list[str], "np.ndarray[Any, np.dtype[np.float64]]"]:
    """One request to the champion -> label names (classes,), probabilities (n, classes)."""
    inputs = task_types.get(project.task_type).payload.inputs([item.values for item in items])
    answer: dict[str, Any] = wiring.predictor.infer(model=project.slug, request={"inputs": inputs})
    outputs = {o["name"]: o for o in answer["outputs"]}
    found = outputs["probabilities"]
    return answer["parameters"]["labels"].split("\n"), np.asarray(found["data"], float).reshape(found["shape"])

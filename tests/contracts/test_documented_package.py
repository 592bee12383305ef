"""The package that docs/architecture.md shows is one that works: its files are taken from the page."""

import re
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from apps.rules.acquisition import STRATEGIES, reason_of, reason_sentence
from apps.rules.gates import GATES, GateOutcome, judge
from apps.rules.metrics import Difference
from fastloop_console.machine.env import ROOT
from tests.contracts.test_every_gate import GOOD
from tests.contracts.test_every_strategy import chosen

PAGE = (ROOT / "docs/architecture.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def points(install):
    """The entry points of its pyproject.toml, each installed as pip would."""
    offered = tomllib.loads(block("toml"))["project"]["entry-points"]
    for registry in (GATES, STRATEGIES):
        ((_, point),) = offered[registry.group].items()
        install(registry, f"acme-{registry.group.split('.')[1]}", block("python"), point=point)
    return offered


def test_its_gate_judges_and_its_strategy_chooses(points):
    worse = replace(GOOD, differences={"macro_f1": Difference(-0.2, -0.3, -0.1)})
    assert judge(worse).reason == "Macro-F1 -0.20, between -0.30 and -0.10; surely worse by more than the 0.05 allowed."
    assert judge(replace(worse, differences={"macro_f1": Difference(0.1, 0.0, 0.2)})).outcome is GateOutcome.PASS
    assert len(chosen(STRATEGIES["second-guess"])) == 5
    reason = reason_of("second-guess", np.array([0.5, 0.4, 0.1]))
    assert reason_sentence(reason, ["A", "B", "C"]) == "The model takes it for A, and B is likely too, 40 %."


def test_the_page_names_every_group():
    from tests.contracts.registries import EVERY

    assert [p.registry.group for p in EVERY if f"`{p.registry.group}`" not in PAGE] == []

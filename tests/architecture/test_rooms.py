"""Who may touch the tables: services and selectors, never a task of a worker, and a page or an API only by name."""

import ast
import re
from pathlib import Path

import pytest

from fastloop_console.machine.env import ROOT

WORKERS = sorted([*(ROOT / "workers/tasks").rglob("*.py"), *(ROOT / "workers/predictor").rglob("*.py")])
FACES = sorted(
    p for p in (ROOT / "apps").rglob("*.py") if re.search(r"(^|_)(views|api)$", p.stem) or p.parent.name == "views"
)


def managers_in(source: str) -> list[int]:
    """Lines that ask a table: `Model.objects`."""
    return [n.lineno for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Attribute) and n.attr == "objects"]


def test_the_walk_sees_a_manager() -> None:
    assert managers_in("x = 1\nRun.objects.get(pk=1)") == [2]


@pytest.mark.parametrize("path", WORKERS, ids=lambda p: p.stem)
def test_a_task_fetches_and_records_through_services_and_selectors(path: Path) -> None:
    assert managers_in(path.read_text()) == []


@pytest.mark.parametrize("path", FACES, ids=lambda p: "/".join(p.relative_to(ROOT / "apps").parts))
def test_a_page_or_an_api_asks_no_table_itself(path: Path) -> None:
    """Models may stand in a signature; what is read of them comes from a selector, with its permission and its budget."""
    assert managers_in(path.read_text()) == []

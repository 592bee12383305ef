"""What selectors and charts hand to a page goes through gettext: sentences, and the names that a chart shows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastloop_console.machine.env import ROOT
from tests.architecture.test_language import NAMES, bare, modules

# Modules whose values templates and figures show as they are, by what their names say.
STEMS = (
    "selectors",
    "charts",
    "stages",
    "card",
    "reading",
    "clockface",
    "ruler",
    "presenters",
    "comparing",
    "ledger",
    "lineage",
)
GETTEXT = {"gettext", "gettext_lazy", "_", "ngettext", "ngettext_lazy"}
SHOWN_KEYS = {"name", "text", "finding", "empty", "rows", "title"}  # of a figure
SHOWN_PARAMETERS = {"name", "words", "title", "doing", "finding", "what"}  # of what builds one
RECORDS = (
    "apps/features/shards",
    "apps/transfer/formats",
    "apps/labeling/lineage.py",
    "apps/evaluation/reporting/card.py",
)  # what these say is written down, not shown
HOLE = "0"  # of an f-string
UNITS = {"ms", "min", "nats"}  # the same in every language
SQL = {"SELECT", "FROM", "WHERE", "WHEN", "INTERVAL", "count"}


def called(node: ast.AST) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""


def literals(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text of the code with the holes of an f-string as 0; docstrings and what goes through gettext left out."""
    for child in ast.iter_child_nodes(node):
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if is_docstring or called(child) in GETTEXT:
            continue
        if isinstance(child, ast.JoinedStr):
            yield child.lineno, "".join(str(p.value) if isinstance(p, ast.Constant) else HOLE for p in child.values)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.lineno, child.value
        else:
            yield from literals(child)


def is_phrase(text: str) -> bool:
    """Two words or more, or one beside a hole; statements of SQL, units and names for machines are none."""
    if SQL & set(text.split()) or "://" in text:
        return False
    text = re.sub(r"<[^>]*>", " ", re.sub(r"%\{[^}]*\}", HOLE, text))
    parts = [part.strip(",.;:“”()") for part in text.split(" ")]
    words = [part for part in parts if part.isalpha() and (len(part) > 1 or part == "A") and part not in UNITS]
    return len(words) > 1 or (HOLE in text and len(parts) > 1 and len(words) == 1)


def phrases_in(source: str) -> list[tuple[int, str]]:
    return [(at, text) for at, text in literals(ast.parse(source)) if is_phrase(text) and text not in NAMES]


def single_words_in(source: str) -> list[tuple[int, str]]:
    """Bare words where a single one is shown: a figure's names, and what a function called ..._words returns."""
    tree = ast.parse(source)
    functions = {n.name: [a.arg for a in n.args.args] for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            found += [v for k, v in pairs if isinstance(k, ast.Constant) and k.value in SHOWN_KEYS]
        if isinstance(node, ast.Call):
            given = zip(functions.get(called(node), []), node.args, strict=False)
            found += [value for name, value in given if name in SHOWN_PARAMETERS]
            found += [k.value for k in node.keywords if k.arg in SHOWN_PARAMETERS and called(node) in functions]
        if isinstance(node, ast.FunctionDef) and node.name.endswith("words"):
            returned = [r.value for r in ast.walk(node) if isinstance(r, ast.Return) and r.value is not None]
            found += [
                part for value in returned for part in (value.values if isinstance(value, ast.BoolOp) else [value])
            ]
    return [(v.lineno, ast.unparse(v)) for v in found if bare(v) and ast.unparse(v).strip("'") not in UNITS]


def page_modules() -> list[Path]:
    return [p for p in modules() if p.stem.endswith(STEMS) and not str(p.relative_to(ROOT)).startswith(RECORDS)]


def test_the_walk_finds_phrases_and_names_that_escape() -> None:
    source = '''
        def low(x):
            """In words."""
            return "never reached" if x is None else f"between {x} and {x}"
        rows = [("A run", gettext("It learns"))]
        sql = "SELECT id FROM there"
        '''
    assert [text for _, text in phrases_in(_dedented(source))] == ["never reached", "between 0 and 0", "A run"]
    source = """
        def _line(name, values):
            return {"name": name, "line": {"shape": "spline"}, "meta": {"rows": "step"}}
        def run_words(run):
            return run.phase or "training"
        traces = [_line("median", []), _line(gettext("all"), [])]
        """
    found = sorted(text for _, text in single_words_in(_dedented(source)))
    assert found == ["'median'", "'step'", "'training'"]


def _dedented(source: str) -> str:
    return "\n".join(line[8:] for line in source.splitlines())


@pytest.mark.parametrize("path", page_modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_word_that_a_page_or_a_figure_shows_escapes_gettext(path: Path) -> None:
    source = path.read_text()
    assert [*phrases_in(source), *single_words_in(source)] == []


def test_the_walk_sees_selectors_and_charts() -> None:
    names = {p.stem for p in page_modules()}
    assert {"selectors", "charts", "stages", "reading", "comparing_charts"} <= names

"""Nobody asks a plug-in for its name to decide what to do: what differs is an attribute or a method of the plug-in.

So `task.kind == "image"` stands nowhere: an installed task type would silently be taken for the other branch.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from apps.projects.task_types import TASK_TYPES
from fastloop_console.machine.env import ROOT
from tests.contracts.registries import EVERY

KINDS = {task.kind for task in TASK_TYPES.own}
NAMES = KINDS | {each.name for plugged in EVERY for each in plugged.registry.own}
TEMPLATE_TAG = re.compile(r"{%\s*(?:el)?if\b(.*?)%}", re.DOTALL)
TEMPLATE_NAME = re.compile(r"""([\w.]+)\s*(?:==|!=)\s*["']([\w-]+)["']""")
# What is compared is no plug-in, or another change takes it away: (file, comparison) to the reason.
ALLOWED = {
    ("templates/datasets/_filter.html", 'asked.side == "holdout"'): "the side of the data that is listed, not the gate",
    ("apps/transfer/exporting.py", "grain == 'labels'"): "what an export has a row for, not the kind of event",
    ("templates/datasets/_cell.html", 'name == "confidence"'): "a column of the table of data, not the monitor",
}


def _literals(node: ast.expr) -> set[str]:
    """The words of a literal, or of a tuple, list or set of them."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def compared_in(code: str) -> Iterator[str]:
    """Comparisons of something with a plug-in's name: `x == "image"`, `"image" != x`, `x in ("choice", "choices")`."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Match):
            for case in node.cases:
                patterns = [p for p in ast.walk(case.pattern) if isinstance(p, ast.MatchValue)]
                yield from (f"case {ast.unparse(p.value)}" for p in patterns if _literals(p.value) & NAMES)
        if not isinstance(node, ast.Compare):
            continue
        for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            equal = isinstance(operator, ast.Eq | ast.NotEq)
            among = isinstance(operator, ast.In | ast.NotIn)
            if (equal and (_literals(left) | _literals(right)) & NAMES) or (
                among and not _literals(left) and _literals(right) & NAMES
            ):
                yield ast.unparse(node)


def compared_in_template(text: str) -> Iterator[str]:
    for tag in TEMPLATE_TAG.findall(text):
        for asked, name in TEMPLATE_NAME.findall(tag):
            if name in NAMES:
                yield f'{asked} == "{name}"'


def everywhere() -> set[tuple[str, str]]:
    code = [p for folder in ("apps", "workers") for p in (ROOT / folder).rglob("*.py") if "migrations" not in p.parts]
    found = {(str(p.relative_to(ROOT)), asked) for p in code for asked in compared_in(p.read_text())}
    templates = (ROOT / "templates").rglob("*.html")
    return found | {(str(p.relative_to(ROOT)), a) for p in templates for a in compared_in_template(p.read_text())}


@pytest.mark.parametrize(
    "code",
    [
        'task.kind == "image"',
        '"choice" != kind.name',
        'answer in ("choice", "choices")',
        'x = 1 if task_type == "text-classification" else 2',
        'match kind:\n    case "tabular": pass',
    ],
)
def test_the_walk_finds_who_asks_for_a_name(code: str) -> None:
    assert list(compared_in(code))


@pytest.mark.parametrize("code", ['"text" in row', 'kind == "full"', 'STRATEGIES["margin"]', "kind == RunKind.FULL"])
def test_the_walk_lets_other_words_be(code: str) -> None:
    assert list(compared_in(code)) == []


def test_the_walk_reads_templates() -> None:
    assert list(compared_in_template('{% if a and task.kind == "image" %}')) == ['task.kind == "image"']
    assert list(compared_in_template('{% if state == "open" %}{{ x }}')) == []


def test_nobody_asks_a_plug_in_for_its_name() -> None:
    assert sorted(everywhere() - set(ALLOWED)) == []


def test_what_is_allowed_is_still_there() -> None:
    assert all(ALLOWED.values())
    assert sorted(set(ALLOWED) - everywhere()) == []

"""Class names are unique in the whole tree, and what a class holds is called what it is (docs/words.md)."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from fastloop_console.machine.env import ROOT

TREES = ("apps", "workers", "fastloop_console")
BY_DJANGO = {"Command", "Migration"}  # Django looks for these names
NOT_NOUNS = {"found", "said", "told", "given"}
NOT_THE_FIELDS_WORDS = {"Served", "Said", "Kept", "Cast", "Sheet", "Seat", "Crowned", "Asked", "Happened"}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for tree in TREES:
        for path in sorted((ROOT / tree).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text())


def classes_of(module: ast.Module) -> Iterator[ast.ClassDef]:
    """Of the module's own level: a serializer inside its view is named with it."""
    return (node for node in module.body if isinstance(node, ast.ClassDef))


def fields_of(made: ast.ClassDef) -> Iterator[str]:
    return (n.target.id for n in made.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name))


def test_the_walk_sees_a_class_and_its_fields() -> None:
    (made,) = classes_of(ast.parse("class Served:\n    found: int\n    def f(self): ...\n"))
    assert (made.name, list(fields_of(made))) == ("Served", ["found"])


def test_no_two_classes_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, module in modules():
        for made in classes_of(module):
            if not made.name.startswith("_") and made.name not in BY_DJANGO:
                places[made.name].append(str(path))
    assert len(places) > 400, "the walk does not see the tree"
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_class_is_called_by_a_word_that_the_field_does_not_have() -> None:
    assert [
        f"{path}: {made.name}"
        for path, module in modules()
        for made in classes_of(module)
        if made.name.lstrip("_") in NOT_THE_FIELDS_WORDS or made.name.lower() in NOT_NOUNS
    ] == []


def test_no_field_is_called_found_or_said_or_told_or_given() -> None:
    assert [
        f"{path}: {made.name}.{name}"
        for path, module in modules()
        for made in classes_of(module)
        for name in fields_of(made)
        if name in NOT_NOUNS
    ] == []

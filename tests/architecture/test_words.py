"""The tree keeps its own manners: short files, no notes to self, nothing that holds on one machine only."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastloop_console.machine.env import ROOT

LONGEST_FILE = 300  # lines; a longer one becomes a package named after nouns
SKIPPED = {"var", "node_modules", "migrations"}  # folders; so is every folder whose name starts with a dot, .ci apart
TEXT = {".py", ".md", ".html", ".css", ".js", ".toml", ".in", ".txt", ".yml", ".yaml", ".sh", ".Dockerfile", ""}
# Written in two parts, or this file would be the first to be found.
NOTES_TO_SELF = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
ONE_MACHINE = ["/wo" + "rk/", "/ro" + "ot/", "/Us" + "ers/"]


def files(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in SKIPPED and (path.name == ".ci" or not path.name.startswith(".")):
                yield from files(path)
        elif (path.suffix in TEXT or path.name.startswith(".env.")) and path.name not in (".env", ".git"):
            yield path


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    modules = [p for p in files() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] != "tests"]
    assert len(modules) > 100, "the walk does not see the tree"
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in modules}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


@pytest.mark.parametrize("word", NOTES_TO_SELF + ONE_MACHINE)
def test_no_file_mentions_a_note_to_self_or_a_path_of_one_machine(word: str) -> None:
    mention = re.compile(rf"(?<!\w){re.escape(word)}" if word.startswith("/") else re.escape(word))  # apps/work is ours
    assert [str(p.relative_to(ROOT)) for p in files() if mention.search(p.read_text(errors="replace"))] == []

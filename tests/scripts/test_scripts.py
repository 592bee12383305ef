"""The scripts of static/: their linter, their types and the tests of the modules that hold no markup. All of it wants Node."""

import shutil
import subprocess

import pytest

from fastloop_console.machine.env import ROOT

NODE = shutil.which("node")
BINARIES = ROOT / "node_modules/.bin"
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
UNITS = sorted(str(p) for p in (ROOT / "tests/scripts").glob("*.test.mjs"))
with_node = pytest.mark.skipif(NODE is None, reason="there is no Node on this machine")
with_tools = pytest.mark.skipif(
    NODE is None or not BINARIES.is_dir(), reason="the tools of package.json are not installed: `npm ci`"
)


def complaints(*command: str) -> str:
    """What the command says when it is not content; nothing when it is."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_every_script_asks_to_be_checked() -> None:
    assert len(SCRIPTS) > 20, "the walk does not see the scripts"
    assert [p.name for p in SCRIPTS if not p.read_text().startswith("// @ts-check\n")] == []


@with_tools
def test_the_linter_has_nothing_to_say_about_the_scripts() -> None:
    assert complaints(str(BINARIES / "eslint"), "static", "tests/scripts", "eslint.config.js") == ""


@with_tools
def test_the_scripts_are_laid_out_as_prettier_does_it() -> None:
    places = ["static/**/*.{js,ts}", "tests/scripts/*.mjs", "eslint.config.js"]
    assert complaints(str(BINARIES / "prettier"), "--check", *places) == ""


@with_tools
def test_the_types_of_the_scripts_fit() -> None:
    assert complaints(str(BINARIES / "tsc"), "-p", "tsconfig.json") == ""


@with_node
def test_the_modules_without_markup_do_what_their_tests_say() -> None:
    assert len(UNITS) > 5, "the walk does not see the tests"
    assert complaints("node", "--test", *UNITS) == ""

"""The import contracts of pyproject.toml hold."""

import subprocess
import sys

from fastloop_console.machine.env import ROOT


def test_every_import_goes_down_the_stack() -> None:
    linter = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", linter], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr

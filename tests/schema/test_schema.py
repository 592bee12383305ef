"""The OpenAPI schema says everything, without a warning."""

import subprocess
import sys
from pathlib import Path

from fastloop_console.machine.env import ROOT


def test_the_api_schema_is_valid_and_complete(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "manage.py",
        "spectacular",
        "--validate",
        "--fail-on-warn",
        "--file",
        str(tmp_path / "schema.yml"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/api/v1/projects/{project_id}/examples/" in (tmp_path / "schema.yml").read_text()

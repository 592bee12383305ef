"""The two benches that start the web process of production on servers of their own: briefly, as whoever measures calls them."""

import json
import os
import subprocess
import sys

import pytest

from fastloop_console.machine import env

pytestmark = pytest.mark.fault


def _figures(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "manage.py", "bench", *arguments, "--json"]
    unlike_here = {name: value for name, value in os.environ.items() if not name.startswith(("FASTLOOP_", "DJANGO_"))}
    done = subprocess.run(command, cwd=env.ROOT, env=unlike_here, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def test_the_queue_is_measured_behind_tls_and_every_process_is_counted():
    found = _figures("queue", "--pool", "400", "--annotators", "2", "--seconds", "1", "--ordered", "300")
    assert found["answers_per_s"] > 0 and found["duplicates"] == 0 and found["lost"] == 0
    assert found["web_cpu_ms"] > 0 and found["postgres_cpu_ms"] > 0


def test_files_are_measured_behind_tls_in_and_out():
    found = _figures("transfer", "--rows", "20")
    assert found["import_per_s"] > 0 and found["export_label_studio_s"] > 0

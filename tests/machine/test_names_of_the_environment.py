"""A shell of another project has names like PORT and DATABASE_URL; ours go first with FASTLOOP_ in front."""

import os
import subprocess
import sys

import pytest

from fastloop_console.machine.env import GENERAL, ROOT

ASK = "from fastloop_console.machine import env; print(env.port(), env.database_url())"


def asked(**given: str) -> str:
    inherited = {k: v for k, v in os.environ.items() if k.removeprefix("FASTLOOP_") not in GENERAL}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, env=inherited | given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"PORT": "3000"}, "3000"),
        ({"PORT": "3000", "FASTLOOP_PORT": "8123"}, "8123"),
        ({"DATABASE_URL": "postgres://other/app", "FASTLOOP_DATABASE_URL": ""}, "8000"),
        (
            {"DATABASE_URL": "postgres://other/app", "FASTLOOP_DATABASE_URL": "postgres://ours/fl"},
            "8000 postgres://ours/fl",
        ),
    ],
)
def test_the_name_with_ours_in_front_goes_first(given: dict[str, str], found: str) -> None:
    assert asked(**given) == found

"""What keeps a command from starting is said in one sentence, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastloop_console.machine.env import ROOT
from tests.console import NOT_INHERITED


def manage(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=inherited | more, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT is “eighty”; it takes a whole number from 1 to 65535."),
        ({"PORT": "80000"}, "PORT is “80000”; it takes a whole number from 1 to 65535."),
        ({"PREDICTOR_PORT": ""}, "PREDICTOR_PORT is “”; it takes a whole number from 1 to 65535."),
        (
            {"PREDICTOR_AUTH": "false", "PREDICTOR_HOST": "0.0.0.0"},
            "PREDICTOR_AUTH is off, and PREDICTOR_HOST is 0.0.0.0: whoever reaches it could ask every model.",
        ),
        ({"HOST": "8.8.8.8.8"}, "HOST is “8.8.8.8.8”, which names no machine."),
        ({"HOST": "192.0.2.7"}, "HOST is 192.0.2.7, and nobody can listen there: "),
    ],
)
def test_an_address_that_cannot_be_is_named_with_its_variable(
    tmp_path: Path, variables: dict[str, str], sentence: str
) -> None:
    done = manage("up", FASTLOOP_HOME=str(tmp_path), **variables)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence) and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "servers.json").exists(), "servers were started for nothing"


@pytest.mark.parametrize("command", [("up",), ("shell", "-c", "1"), ("makemigrations", "--check")])
def test_a_home_that_cannot_be_written_to_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"
    done = manage(*command, FASTLOOP_HOME=str(home))
    assert done.returncode == 1
    assert done.stderr == (
        f"The data directory {home} cannot be written to: Not a directory. Set FASTLOOP_HOME to a folder of yours.\n"
    )


def test_the_migrations_are_checked_without_a_server_and_without_waiting_for_one(tmp_path: Path) -> None:
    done = manage("makemigrations", "--check", "--dry-run", "-v3", FASTLOOP_HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "No changes detected" in done.stdout


def test_up_says_what_it_takes_instead_of_starting(tmp_path: Path) -> None:
    told = manage("up", "--help", FASTLOOP_HOME=str(tmp_path))
    assert told.returncode == 0 and "Ctrl-C" in told.stdout and "environment" in told.stdout
    refused = manage("up", "--port", "9000", FASTLOOP_HOME=str(tmp_path))
    assert refused.returncode == 1 and refused.stderr.startswith("up takes no arguments, and --port is one.")
    assert list(tmp_path.iterdir()) == []

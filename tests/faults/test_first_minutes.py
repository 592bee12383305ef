"""README's commands on an empty home, beside strangers, and on disks that refuse."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from fastloop_console.machine.instance import EXTENSION
from tests.console import Console, own_home
from tests.faults.homes import manage, processes_of, started, wait_until_gone
from tests.integrations.test_predictor import Handler, Server

pytestmark = pytest.mark.fault


@pytest.fixture
def stranger() -> Iterator[Server]:
    """Another console's predictor at our port."""
    server = Server(("127.0.0.1", 0), Handler)
    server.metadata = {"name": "kserve", "version": "1", "extensions": [f"{EXTENSION}of-another-console"]}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_simulate_plays_on_an_empty_home_beside_another_consoles_predictor(stranger: ThreadingHTTPServer) -> None:
    with own_home() as home:
        port = str(stranger.server_port)
        done = manage(home, "simulate", "digits", "--rounds", "1", "--json", within_s=300, PREDICTOR_PORT=port)
        assert done.returncode == 0, done.stderr[-3000:]
        first, last = map(json.loads, done.stdout.splitlines())
        assert first["released"] and first["accuracy"] > 0.8
        assert last["done"] is True
        assert "Bringing the database up to date" in done.stderr
        assert "Waiting for the " in done.stderr, "a start takes more than 5 s, and nothing was said"
        wait_until_gone(home)


def test_two_first_commands_at_once_migrate_once() -> None:
    with own_home() as home, started(home, "shell", "-c", "1") as first:
        second = manage(home, "shell", "-v0", "-c", "import apps.accounts.models as m; print(m.User.objects.count())")
        assert first.wait(120) == 0
        assert (second.returncode, second.stdout) == (0, "0\n"), second.stderr
        said = home.with_name("started.log").read_text() + second.stderr
        assert said.count("Bringing the database up to date") == 1, said
        wait_until_gone(home)


def test_a_predictor_says_whose_it_is_and_another_console_does_not_take_it(console: Console) -> None:
    look = (
        "from apps.integrations import wiring; from django.conf import settings; "
        f"settings.PREDICTOR_URL = '{console.predictor_url}'; print(wiring.predictor.state())"
    )
    ours = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", look],
        env=console.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ours.stdout == "ours\n", ours.stderr
    theirs = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", look],
        env=console.environment(SECRET_KEY="of another console"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert theirs.stdout == "foreign\n", theirs.stderr


@contextlib.contextmanager
def disk(*options: str) -> Iterator[Path]:
    """A disk of its own, where this machine lets us mount one."""
    with own_home() as place:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join(("mode=755", *options)), "tmpfs", str(place)], capture_output=True
        )
        if os.getuid() != 0 or mounted.returncode:
            pytest.skip("this machine does not let us mount a disk")
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("size=6m",), "The disk that holds {home}/postgres is full. Free some of it, or set FASTLOOP_HOME to a "),
        (("ro",), "The data directory {home} cannot be written to: Read-only file system. Set FASTLOOP_HOME to "),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_refuses_is_named_in_a_sentence(options: tuple[str, ...], sentence: str) -> None:
    with disk(*options) as place:
        home = place / "home"
        done = manage(home, "shell", "-c", "1")
        assert done.returncode == 1, done.stdout
        lines = [line for line in done.stderr.splitlines() if not line.startswith("Bringing the database")]
        assert lines[0].startswith(sentence.format(home=home)) and len(lines) == 1, done.stderr
        assert processes_of(home) == []

"""A second console beside the first."""

import subprocess
import sys

import psutil
import pytest

from fastloop_console.machine.env import ROOT
from fastloop_console.machine.ports import free_ports
from tests.console import Console, own_home

pytestmark = pytest.mark.fault


def up(console: Console, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "up"]
    return subprocess.run(
        command, cwd=ROOT, env=console.environment(**more), capture_output=True, text=True, timeout=60
    )


def test_a_second_console_on_the_same_home_names_the_process_that_holds_it(console: Console) -> None:
    first, second = free_ports(2)
    done = up(console, PORT=str(first), PREDICTOR_PORT=str(second))
    assert console.process is not None
    assert done.returncode != 0
    assert f"runs on the data directory {console.home} already: process {console.process.pid}." in done.stderr, (
        done.stderr
    )
    assert psutil.pid_exists(console.redis_pid())
    assert psutil.pid_exists(console.postgres_pid()), "the second console stopped the servers of the first"


@pytest.mark.parametrize(
    ("variable", "name"), [("PORT", "web"), ("PREDICTOR_PORT", "predictor"), ("PREDICTOR_GRPC_PORT", "predictor")]
)
def test_a_second_console_on_a_held_port_names_the_process_that_holds_it(
    console: Console, variable: str, name: str
) -> None:
    holder = console.pid(name)
    ports = dict(zip(("PORT", "PREDICTOR_PORT"), map(str, free_ports(2)), strict=True))
    grpc = console.predictor_port + 1_000  # nobody said another
    held = {"PORT": console.port, "PREDICTOR_PORT": console.predictor_port, "PREDICTOR_GRPC_PORT": grpc}[variable]
    with own_home() as home:
        done = up(console, FASTLOOP_HOME=str(home), **{**ports, variable: str(held)})
    assert done.returncode != 0
    assert f"Port {held} is held by process {holder} (" in done.stderr, done.stderr
    assert f"set {variable} to another port." in done.stderr
    assert [p.pid for p in psutil.process_iter() if str(home) in _line(p)] == [], "it left servers of its own"


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""

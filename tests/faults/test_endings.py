"""Whatever ends a console or a simulation, nothing that it started outlives it, and nothing of another console ends with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fastloop_console.machine.env import ROOT
from tests.console import PROCESSES, Console, own_home, until
from tests.faults.homes import GONE_WITHIN_S, lines_of, processes_of, started, wait_until_gone

pytestmark = pytest.mark.fault
READY_WITHIN_S = 180.0  # with the first migrations, on a busy machine


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder whose name is not plain ASCII and has spaces; it is not there yet."""
    with own_home() as plain:
        yield plain.with_name("Größe und Raum")


def pids_of(console: Console) -> list[int]:
    """Those that stay: PostgreSQL's own processes come and go with its connections."""
    return [*(console.pid(name) for name in PROCESSES), console.redis_pid(), console.postgres_pid()]


def children(home: Path, mark: str) -> list[psutil.Process]:
    return [p for p in processes_of(home) if any(mark in line for line in lines_of([p]))]


def test_what_is_killed_takes_its_children_along_and_the_next_start_ends_what_hangs(
    console: Console, home: Path
) -> None:
    others = pids_of(console)
    with started(home, "up") as up:
        until(
            lambda: children(home, "celery") and children(home, "workers.predictor"),
            "no workers",
            within_s=READY_WITHIN_S,
        )
        (hanging,) = children(home, "-Q default")
        hanging.suspend()
        up.kill()
        up.wait()
        wait_until_gone(home, but=(hanging.pid,))
        with started(home, "up") as again:
            until(lambda: not hanging.is_running(), "the next start left it", within_s=60)
            until(lambda: children(home, "-Q default"), "no worker in its place", within_s=60)
            again.terminate()
            assert again.wait(20) in (0, 143)
            wait_until_gone(home)
    assert pids_of(console) == others, "another console's processes ended"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
def test_a_simulation_that_is_ended_leaves_nothing(console: Console, home: Path, number: signal.Signals) -> None:
    others = pids_of(console)
    with started(home, "simulate", "digits", "--rounds", "50") as simulation:
        until(lambda: children(home, "workers.gpu"), "no worker", within_s=READY_WITHIN_S)
        if number == signal.SIGKILL:  # torch is loaded and a model is trained
            log = home.with_name("started.log")
            until(lambda: "round" in log.read_text(), "no first round", within_s=READY_WITHIN_S)
        os.kill(simulation.pid, number)
        status = simulation.wait(20)
        assert status == {"SIGTERM": 143, "SIGINT": 130, "SIGKILL": -9}[number.name]
        wait_until_gone(home)
    assert pids_of(console) == others, "another console's processes ended"
    assert "Traceback" not in home.with_name("started.log").read_text()


LAUNCH = """
import os, subprocess, sys, time
from pathlib import Path
from fastloop_console.machine import child, lifeline
place = Path(sys.argv[1])
run = child.command(place, os.getpid(), "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python")
subprocess.Popen([*run, "sh", "-c", f"touch {place}/$RANK; sleep 300"], **lifeline.tied(os.environ), start_new_session=True)
time.sleep(300)
"""


def test_a_killed_worker_takes_torchruns_processes_along(tmp_path: Path) -> None:
    worker = subprocess.Popen([sys.executable, "-c", LAUNCH, str(tmp_path)], cwd=ROOT)
    try:
        until(lambda: (tmp_path / "0").exists() and (tmp_path / "1").exists(), "torchrun did not start", within_s=60)
        family = psutil.Process(worker.pid).children(recursive=True)
        assert len(family) >= 3, family
    finally:
        worker.kill()
        worker.wait()
    _, alive = psutil.wait_procs(family, timeout=GONE_WITHIN_S)
    assert lines_of(alive) == []

"""What runs for one home folder, and commands on homes of their own."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from fastloop_console.machine.env import ROOT
from fastloop_console.machine.ports import free_ports
from tests.console import NOT_INHERITED, until

GONE_WITHIN_S = 20.0  # the promise
MANAGE = [sys.executable, "manage.py"]


def environment(home: Path, **more: str) -> dict[str, str]:
    port, predictor_port = free_ports(2)
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    own = {"FASTLOOP_HOME": str(home), "PORT": str(port), "PREDICTOR_PORT": str(predictor_port), "DEMO": "0"}
    return inherited | own | more


def manage(home: Path, *arguments: str, within_s: float = 120, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MANAGE, *arguments],
        cwd=ROOT,
        env=environment(home, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
    )


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything that was started for this home: by its environment, by its command line, or by PostgreSQL's folder."""
    mine = [p for p in psutil.process_iter() if _names(p, str(home))]
    pids = {p.pid for p in mine}
    return [p for p in psutil.process_iter() if p.pid in pids or _parent(p) in pids]


def _names(process: psutil.Process, home: str) -> bool:
    with contextlib.suppress(psutil.Error):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return home in " ".join(process.cmdline()) or process.environ().get("FASTLOOP_HOME") == home
    return False


def _parent(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        if process.status() != psutil.STATUS_ZOMBIE:
            return process.ppid()
    return 0


def lines_of(processes: list[psutil.Process]) -> list[str]:
    lines = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            lines.append(f"{process.pid}: {' '.join(process.cmdline())[:400]}")
    return lines


def wait_until_gone(home: Path, *, but: tuple[int, ...] = ()) -> None:
    def gone() -> bool:
        return not [p for p in processes_of(home) if p.pid not in but]

    try:
        until(gone, "processes are left", within_s=GONE_WITHIN_S)
    except AssertionError:
        raise AssertionError("\n".join(["left:", *lines_of(processes_of(home))])) from None


@contextlib.contextmanager
def started(home: Path, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A command in the background, its words in `HOME.log`; it and all of its home are killed afterwards."""
    with home.with_name("started.log").open("a") as out:
        process = subprocess.Popen(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=environment(home, **more),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        for one in processes_of(home):
            with contextlib.suppress(psutil.Error):
                one.kill()

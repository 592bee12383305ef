"""Ends servers with -9, as a machine that runs out of memory does, and has them started again."""

import contextlib
from pathlib import Path

import psutil

from fastloop_console.machine import embedded, place


def postgres_killed(home: Path) -> None:
    """The server and every process of it; it comes back by its log of what was written."""
    where = place.read(home)
    assert where is not None
    server = psutil.Process(int((Path(where.postgres_dir) / "postmaster.pid").read_text().split()[0]))
    _kill([*server.children(recursive=True), server])
    embedded.look_after(home)


def redis_killed(home: Path) -> None:
    where = place.read(home)
    assert where is not None
    _kill([psutil.Process(int((Path(where.redis_dir) / "redis.pid").read_text()))])
    embedded.look_after(home)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, 10)

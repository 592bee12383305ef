"""`python -m fastloop_console.machine.keeper HOME MARK`: stops PostgreSQL and Redis when the last who used them is gone.

Everybody who uses the servers holds a shared lock, which the kernel takes from a killed process too. The keeper asks for
the same lock alone: it sleeps in that call for as long as anybody is there, and costs nothing. It knows the standard
library only, so that it stays small. MARK is the descriptor of the lock that says that a keeper watches.
"""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

from fastloop_console.machine import place, postgres_server, redis_server

ROOT = Path(__file__).resolve().parents[2]


def ensure(home: Path) -> None:
    """Start one where none watches. Called by somebody who holds the servers."""
    with (home / "servers.keeper").open("a") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        subprocess.Popen(
            [sys.executable, "-S", "-E", "-m", "fastloop_console.machine.keeper", str(home), str(mark.fileno())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(mark.fileno(),),
            start_new_session=True,
        )


def stop_servers(where: place.ServersPlace) -> None:
    redis_server.stop(where)
    postgres_server.stop(where)


def main(home: Path, mark: int) -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):  # it ends with the servers, never before them
        signal.signal(number, signal.SIG_IGN)
    with (home / "servers.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        where = place.read(home)
        if where is not None:
            stop_servers(where)
        os.close(mark)  # first, so that whoever gets the servers' lock next starts a keeper of their own


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

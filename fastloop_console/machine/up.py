"""`manage.py up`, or `make run`: the whole console on this machine, until Ctrl-C.

It knows no Django: what needs it (`migrate`, `demo`) runs as a child, so that the process which only watches stays small.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from fastloop_console.machine import embedded, env, processes
from fastloop_console.machine.supervisor import Supervisor

SERVERS_LOOKED_AT_EVERY_S = 3.0
MANAGE = [sys.executable, str(env.ROOT / "manage.py")]


class CannotStart(RuntimeError):
    """The sentence names who is in the way and what to do."""


def main() -> int:
    """Returns the exit status."""
    began = time.monotonic()
    own_servers = bool(env.database_url() and env.redis_url())
    try:
        with _only_console(env.home()):
            _refuse_taken_ports()
            with contextlib.nullcontext() if own_servers else embedded.running(env.home()):
                return _run(began, own_servers=own_servers)
    except (CannotStart, embedded.ServersUnavailable) as refused:
        print(refused, file=sys.stderr)
        return 1


def _run(began: float, *, own_servers: bool) -> int:
    migrated = subprocess.run([*MANAGE, "migrate", "-v0"], env=processes.child_env())
    if migrated.returncode:
        return migrated.returncode
    supervisor = Supervisor()
    processes.add_web(supervisor)
    processes.add_predictor(supervisor)
    processes.add_training_worker(supervisor)
    processes.add_default_worker(supervisor)
    processes.add_beat(supervisor)
    if not own_servers:
        threading.Thread(target=_keep_servers, args=(supervisor,), daemon=True).start()
    threading.Thread(target=_greet, args=(supervisor, began), daemon=True).start()
    return supervisor.run()


@contextlib.contextmanager
def _only_console(home: Path) -> Iterator[None]:
    """One console a data directory. The second learns which process is the first."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "console.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"A console runs on the data directory {home} already: process {lock.read().strip() or 'unknown'}. "
                "Stop it with Ctrl-C there, or set FASTLOOP_HOME, PORT and PREDICTOR_PORT to run a second one."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _refuse_taken_ports() -> None:
    for port, variable in ((env.port(), "PORT"), (env.predictor_port(), "PREDICTOR_PORT")):
        holder = _holder_of(port)
        if holder:
            raise CannotStart(f"Port {port} is held by {holder}. Stop it, or set {variable} to another port.")


def _holder_of(port: int) -> str:
    """Who listens on this port, in words; empty when nobody does."""
    try:
        for listening in psutil.net_connections("tcp"):
            if listening.status == psutil.CONN_LISTEN and listening.laddr.port == port:
                if listening.pid is None:
                    return "a process of another user"
                return f"process {listening.pid} ({' '.join(psutil.Process(listening.pid).cmdline())[:80]})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):  # macOS shows other people's sockets to root only
        pass
    return ""


def _keep_servers(supervisor: Supervisor) -> None:
    """PostgreSQL and Redis are started again when they die, like everything else here."""
    while True:
        time.sleep(SERVERS_LOOKED_AT_EVERY_S)
        try:
            embedded.look_after(env.home())
        except embedded.ServersUnavailable as down:
            supervisor.say("console", str(down), 31)


def _greet(supervisor: Supervisor, began: float) -> None:
    """Say where the console is once it answers, then have the demo made and played beside it."""
    address = f"http://{'localhost' if env.host() in ('127.0.0.1', '0.0.0.0') else env.host()}:{env.port()}"
    while not _answers(address):
        time.sleep(0.1)
    supervisor.say(
        "console", f"FastLoop Console answers at {address} after {time.monotonic() - began:.1f} s. Ctrl-C stops it."
    )
    if not env.demo():
        supervisor.say("console", "  `python manage.py createsuperuser` makes the first person.")
        return
    demo = subprocess.Popen(
        [*MANAGE, "demo"], env=processes.child_env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    supervisor.adopt(demo)
    assert demo.stdout is not None
    for line in demo.stdout:
        supervisor.say("console" if line.startswith("  sign in") else "demo", line.rstrip())


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/sign-in/", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False

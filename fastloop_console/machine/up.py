"""`manage.py up`, or `make run`: the whole console on this machine, until Ctrl-C.

It knows no Django: what needs it (migrations, `demo`) runs as a child, so that the process which only watches stays small.
"""

import contextlib
import fcntl
import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from fastloop_console.machine import embedded, env, lifeline, place, ports, processes
from fastloop_console.machine.refusals import CannotStart
from fastloop_console.machine.supervisor import Supervisor

SERVERS_LOOKED_AT_EVERY_S = 3.0
MANAGE = [sys.executable, str(env.ROOT / "manage.py")]


def main() -> int:
    """Returns the exit status. Raises CannotStart."""
    began = time.monotonic()
    own_servers = bool(env.database_url() and env.redis_url())
    place.home_made(env.home())
    with _only_console(env.home()):
        _end_leftovers()
        ports.refuse_taken(env.host(), env.port(), host_variable="HOST", port_variable="PORT")
        ports.refuse_taken(
            env.predictor_host(), env.predictor_port(), host_variable="PREDICTOR_HOST", port_variable="PREDICTOR_PORT"
        )
        env.predictor_auth()
        if env.predictor_grpc_said() and env.predictor_grpc_port():
            ports.refuse_taken(
                env.predictor_host(),
                env.predictor_grpc_port(),
                host_variable="PREDICTOR_HOST",
                port_variable="PREDICTOR_GRPC_PORT",
            )
        with contextlib.nullcontext() if own_servers else embedded.running(env.home()):
            return _run(began, own_servers=own_servers)


def _run(began: float, *, own_servers: bool) -> int:
    bring_up_to_date = [sys.executable, "-m", "fastloop_console.machine.migrations"]
    migrated = subprocess.run(bring_up_to_date, cwd=env.ROOT, **lifeline.tied(processes.child_env()))
    if migrated.returncode:
        return migrated.returncode
    supervisor = Supervisor()
    if env.database_url():
        where = urlsplit(env.database_url())
        supervisor.say("console", f"Its database is {where.hostname}{where.path}, which DATABASE_URL names.")
    processes.add_web(supervisor)
    processes.add_predictor(supervisor)
    processes.add_training_worker(supervisor)
    processes.add_default_worker(supervisor)
    processes.add_beat(supervisor)
    if not own_servers:
        threading.Thread(target=_keep_servers, args=(supervisor,), daemon=True).start()
    threading.Thread(target=_greet, args=(supervisor, began), daemon=True).start()
    return supervisor.run()


def _end_leftovers() -> None:
    """In a process of its own: what it reads about all others of the machine would stay in this one."""
    subprocess.run([sys.executable, "-m", "fastloop_console.machine.leftovers", str(env.home())], cwd=env.ROOT)


@contextlib.contextmanager
def _only_console(home: Path) -> Iterator[None]:
    """One console a data directory. The second learns which process is the first."""
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


def _keep_servers(supervisor: Supervisor) -> None:
    """PostgreSQL and Redis are started again when they die, like everything else here."""
    while True:
        time.sleep(SERVERS_LOOKED_AT_EVERY_S)
        try:
            embedded.look_after(env.home())
        except (CannotStart, OSError) as down:  # a full disk, somebody else's process: it is looked at again
            supervisor.say("console", f"PostgreSQL and Redis could not be looked after: {down}", 31)


def _greet(supervisor: Supervisor, began: float) -> None:
    """Say where the console is once it answers, then have the demo made and played beside it."""
    asked, shown = _hosts(env.host())
    while not _answers(asked, env.port()):
        time.sleep(0.1)
    address = f"http://{shown}:{env.port()}"
    supervisor.say(
        "console", f"FastLoop Console answers at {address} after {time.monotonic() - began:.1f} s. Ctrl-C stops it."
    )
    if not env.demo():
        supervisor.say("console", "  `python manage.py createsuperuser` makes the first person.")
        return
    demo = subprocess.Popen(
        [*MANAGE, "demo"],
        **lifeline.tied(processes.child_env()),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    supervisor.adopt(demo)
    assert demo.stdout is not None
    for line in demo.stdout:
        supervisor.say("console" if line.startswith("  sign in") else "demo", line.rstrip())


def _hosts(host: str) -> tuple[str, str]:
    """Where to ask whether the console answers, and how its address is written.

    >>> _hosts("0.0.0.0"), _hosts("::1"), _hosts("::")
    (('127.0.0.1', 'localhost'), ('::1', '[::1]'), ('::1', 'localhost'))
    """
    if host in ("127.0.0.1", "0.0.0.0"):
        return "127.0.0.1", "localhost"
    if host == "::":
        return "::1", "localhost"
    return (host, f"[{host}]") if ":" in host else (host, host)


def _answers(host: str, port: int) -> bool:
    """Whatever it says of the name it is asked by: ALLOWED_HOSTS may leave localhost out."""
    line = http.client.HTTPConnection(host, port, timeout=5)
    try:
        line.request("GET", "/sign-in/", headers={"Host": _allowed_host()})
        return line.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def _allowed_host() -> str:
    """A name that Django answers to: the first of ALLOWED_HOSTS; of a pattern, a name that fits."""
    first = next(iter(env.allowed_hosts()), "localhost")
    return "localhost" if first == "*" else first.removeprefix(".")

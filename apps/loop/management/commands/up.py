"""`manage.py up`, or `make run`: the whole console on this machine, until Ctrl-C."""

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from apps.loop import demo
from apps.projects.roles import Role
from fastloop_console import embedded, env, processes
from fastloop_console.supervisor import Supervisor

SERVERS_LOOKED_AT_EVERY_S = 3.0


class Command(BaseCommand):
    help = "Start the web server, both workers, beat and the predictor; migrate first; stop everything on Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        with _only_console(env.home()):
            _refuse_taken_ports()
            call_command("migrate", verbosity=0)
            password = demo.password_in(env.home()) if env.demo() else ""
            if password:
                demo.people_made(password)
            connection.close()
            supervisor = Supervisor()
            processes.add_web(supervisor)
            processes.add_predictor(supervisor)
            processes.add_training_worker(supervisor)
            processes.add_default_worker(supervisor)
            processes.add_beat(supervisor)
            if not (env.database_url() and env.redis_url()):
                threading.Thread(target=_keep_servers, args=(supervisor,), daemon=True).start()
            threading.Thread(target=_greet, args=(supervisor, password, began), daemon=True).start()
            status = supervisor.run()
        sys.exit(status)


@contextlib.contextmanager
def _only_console(home: Path) -> Iterator[None]:
    """One console a data directory. The second learns which process is the first."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "console.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CommandError(
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
            raise CommandError(f"Port {port} is held by {holder}. Stop it, or set {variable} to another port.")


def _holder_of(port: int) -> str:
    """Who listens on this port, in words; empty when nobody does."""
    try:
        for listening in psutil.net_connections("tcp"):
            if listening.status == psutil.CONN_LISTEN and listening.laddr.port == port:
                name = (
                    " ".join(psutil.Process(listening.pid).cmdline())[:80]
                    if listening.pid
                    else "a process of another user"
                )
                return f"process {listening.pid} ({name})"
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


def _greet(supervisor: Supervisor, password: str, began: float) -> None:
    """Say where the console is once it answers, then have the demo played beside it."""
    address = f"http://{'localhost' if env.host() in ('127.0.0.1', '0.0.0.0') else env.host()}:{env.port()}"
    while not _answers(address):
        time.sleep(0.1)
    supervisor.say(
        "console", f"FastLoop Console answers at {address} after {time.monotonic() - began:.1f} s. Ctrl-C stops it."
    )
    if not password:
        return
    for username, _, role in demo.PEOPLE:
        supervisor.say("console", f"  sign in as {username:<5} with {password}   ({Role(role).label.lower()})")
    played = subprocess.run([sys.executable, "manage.py", "demo"], capture_output=True, text=True, cwd=env.ROOT)
    for line in (played.stdout + played.stderr).strip().splitlines()[-5:]:
        supervisor.say("demo", line)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/sign-in/", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False

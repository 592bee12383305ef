"""The real console in a process of its own, as `make run` starts it: some tests kill it, others look at it."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import pytest

from fastloop_console.machine import lifeline
from fastloop_console.machine.env import ROOT
from fastloop_console.machine.instance import predictor_key
from fastloop_console.machine.ports import free_ports

GREETING = re.compile(r"FastLoop Console answers at (\S+) after")
UP_WITHIN_S = 60.0  # the promise of `make run`
DOWN_WITHIN_S = 30.0
PLAYED_WITHIN_S = 120.0
PROCESSES = {  # how each child is recognized by its command line
    "web": "uvicorn",
    "predictor": "workers.predictor",
    "training": "workers.gpu",
    "default": "-Q default",
    "beat": "fastloop_console.beat",
}
NOT_INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "FASTLOOP_TEST_SERVERS",
    "STORAGE_URL",
    "PREDICTOR_URL",
    "DJANGO_SETTINGS_MODULE",
)
if (
    signal.getsignal(signal.SIGINT) == signal.SIG_IGN
):  # a shell's background; consoles would inherit it and never hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
T = TypeVar("T")


def until(look: Callable[[], T], what: str, *, within_s: float = 60.0, every_s: float = 0.2) -> T:
    """The first true answer of `look`; fails with `what` when none comes in time."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"Waited {within_s:.0f} s in vain: {what}."
        time.sleep(every_s)


class Console:
    """One running console with a home, ports and people of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.predictor_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.predictor_url = f"http://127.0.0.1:{self.predictor_port}"
        self.output = home.parent / f"{home.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        own = {
            "FASTLOOP_HOME": str(self.home),
            "PORT": str(self.port),
            "PREDICTOR_PORT": str(self.predictor_port),
            "DEMO": "1",
        }
        return inherited | own | more

    def start(self, **more: str) -> None:
        """`more` is added to its environment."""
        with self.output.open("ab") as out:
            command = [sys.executable, "manage.py", "up"]
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                **lifeline.tied(self.environment(**more)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + UP_WITHIN_S
        while not GREETING.search(self.said()):
            assert self.process.poll() is None, f"The console ended before it answered:\n{self.said()[-3000:]}"
            assert time.monotonic() < deadline, f"No greeting within {UP_WITHIN_S:.0f} s:\n{self.said()[-3000:]}"
            time.sleep(0.2)
        if self.environment(**more)["DEMO"] == "1":
            until(lambda: "sign in as alma" in self.said(), "no demo people", within_s=UP_WITHIN_S)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def played(self) -> None:
        """Wait until the demo's two laps are over."""
        until(lambda: "demo project" in self.said(), "the demo was not played", within_s=PLAYED_WITHIN_S)

    @property
    def predictor_headers(self) -> dict[str, str]:
        """What whoever asks this console's predictor itself sends along."""
        return {"Authorization": f"Bearer {predictor_key((self.home / 'secret_key').read_text())}"}

    @property
    def password(self) -> str:
        return (self.home / "demo_password").read_text()

    # its processes

    def _family(self) -> list[psutil.Process]:
        """Everything it started that lives. PostgreSQL and Redis leave the family, so they come by their pid files."""
        assert self.process is not None
        heads = [
            psutil.Process(pid)
            for pid in (self.process.pid, self.redis_pid(), self.postgres_pid())
            if psutil.pid_exists(pid)
        ]
        return [p for head in heads for p in (head, *head.children(recursive=True)) if p.pid != self.process.pid]

    def pids(self, name: str) -> list[int]:
        """The processes called `name` in PROCESSES, the supervisor's own children only."""
        assert self.process is not None
        mark, found = PROCESSES[name], []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if mark in f"{' '.join(child.cmdline())} ":
                    found.append(child.pid)
        return found

    def pid(self, name: str) -> int:
        return until(lambda: self.pids(name), f"no process {name}", within_s=20)[0]

    def kill(self, name: str) -> int:
        """kill -9; returns the pid that died."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def redis_pid(self) -> int:
        return _pid_in(self.home / "redis" / "redis.pid")

    def postgres_pid(self) -> int:
        return next((p for f in self._postgres_folders() if (p := _pid_in(f / "postmaster.pid"))), 0)

    def _postgres_folders(self) -> list[Path]:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return [Path(json.loads((self.home / "servers.json").read_text())["postgres_dir"])]
        return []

    def stop(self) -> None:
        """Ctrl-C, and nothing that it started is left."""
        if self.process is None:
            return
        process, self.process, family, folders = self.process, None, self._family(), self._postgres_folders()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(DOWN_WITHIN_S)
            _, alive = psutil.wait_procs(family, timeout=10)
            left = [" ".join(p.cmdline())[:100] for p in alive if p.is_running()]
            assert left == [], f"Ctrl-C left these running: {left}"
        finally:
            for one in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            for folder in folders:  # outside the home where that is closed to PostgreSQL's user
                shutil.rmtree(folder, ignore_errors=True)

    # its people

    @contextlib.contextmanager
    def client(self, username: str) -> Iterator[httpx.Client]:
        """A browser without a screen in which this person signed in through the form."""
        with httpx.Client(base_url=self.url, timeout=30, follow_redirects=False) as client:
            form = {
                "username": username,
                "password": self.password,
                "csrfmiddlewaretoken": _token(client.get("/sign-in/").text),
            }
            answer = client.post("/sign-in/", data=form, headers={"Referer": f"{self.url}/sign-in/"})
            assert answer.status_code == 302, answer.text[:2000]
            client.headers.update({"X-CSRFToken": client.cookies["csrftoken"], "Referer": f"{self.url}/"})
            yield client

    # its loop, over the API

    def get(self, client: httpx.Client, address: str) -> dict[str, Any]:
        answer = client.get(f"/api/v1/{address}", headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text[:500]
        return dict(answer.json())

    def post(self, client: httpx.Client, address: str, **body: Any) -> dict[str, Any]:
        answer = client.post(f"/api/v1/{address}", json=body)
        assert answer.status_code < 300, answer.text[:500]
        return dict(answer.json()) if answer.content else {}

    def project(self, client: httpx.Client, name: str) -> int:
        """The id of the project with this name."""
        found = self.get(client, "projects/?page_size=1000")["results"]
        return int(next(p["id"] for p in found if p["name"] == name))

    def judged(self, client: httpx.Client, run_id: int, *, within_s: float = 60.0) -> dict[str, Any]:
        """The run once it is over and, where it completed, judged."""

        def look() -> dict[str, Any] | None:
            run = self.get(client, f"runs/{run_id}/")
            over = run["state"] in ("failed", "canceled") or run["report"]
            return run if over else None

        try:
            return until(look, f"run {run_id} was not judged", within_s=within_s) or {}
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.get(client, f'runs/{run_id}/')}\n{self.said()[-8000:]}") from None


def _token(page: str) -> str:
    found = CSRF.search(page)
    assert found is not None, page[:1000]
    return found.group(1)


def _pid_in(file: Path) -> int:
    try:
        return int(file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return 0


@contextlib.contextmanager
def own_home() -> Iterator[Path]:
    """A folder for one console's data, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fastloop-console-"))
    folder.chmod(0o755)  # as root, PostgreSQL's own user must reach its data below
    home = folder / "home"
    home.mkdir(mode=0o755)
    try:
        yield home
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_console() -> Iterator[Console]:
    with own_home() as home:
        console = Console(home)
        try:
            console.start()
            yield console
        finally:
            console.stop()


@pytest.fixture(scope="session")
def console() -> Iterator[Console]:
    """One console for all tests that ask for it; each test leaves it running."""
    with running_console() as found:
        yield found

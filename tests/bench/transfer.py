"""Import and export at full size: a file of examples, of predictions and of answers through the upload, and out again.

A home of its own with the embedded PostgreSQL and Redis, the web process in the production setting, one default worker,
and this process as the browser. `import_per_s` and `predictions_per_s` count from the upload's first byte to the
ingestion's end; `export_s` is the whole JSONL of the answers over HTTP, `export_rss_mb` what the web process grew by.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fastloop_console.machine import child, env, lifeline
from fastloop_console.machine.ports import free_ports
from tests.bench._home import PRODUCTION, inside_of, is_inside
from tests.bench.queue import BEHIND_TLS, on_page, signed_in

Say = Callable[[str], None]
WORDS = ("please", "call", "me", "back", "about", "the", "invoice", "that", "came", "with", "the", "last", "delivery")
OTHERS = ("csv", "parquet", "label-studio")  # measured beside JSONL
SAMPLED_EVERY_S = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=100_000)


def run(*, say: Say, rows: int) -> dict[str, Any]:
    if rows < 1:
        from django.core.management.base import CommandError

        raise CommandError("--rows is at least 1.")
    if is_inside():
        return inside(say, rows, Path(os.environ["FASTLOOP_HOME"]))
    return inside_of("transfer", "--rows", rows, **PRODUCTION)


def inside(say: Say, rows: int, home: Path) -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    project_id, headers = _people()
    chance = random.Random(0)
    found: dict[str, Any] = {"rows": rows}
    with _web(home) as (url, web), _worker(home):
        desk = Desk(url, project_id, on_page(url, headers), web)
        for name, row in (("import", _example), ("predictions", _prediction), ("answers", _answer)):
            file = _file(home / f"{name}.jsonl", (row(n, chance) for n in range(rows)))
            seconds = desk.upload(file)
            found[f"{name}_per_s"] = round(rows / seconds)
            say(f"{name}: {rows:,} rows, {file.stat().st_size / 1e6:.0f} MB, {seconds:.1f} s")
        desk.export("jsonl", "predictions")  # the first one loads what every later one finds loaded
        for name in ("jsonl", *OTHERS):
            seconds, size, grown = desk.export(name, "annotations")
            say(f"export as {name}: {size / 1e6:.0f} MB, {seconds:.1f} s, the web process grew by {grown:.0f} MB")
            own = "export" if name == "jsonl" else f"export_{name.replace('-', '_')}"
            found |= {f"{own}_s": round(seconds, 2), f"{own}_rss_mb": round(grown, 1)}
    return found


def _people() -> tuple[int, dict[str, str]]:
    from django.contrib.auth.hashers import make_password
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.loop.setup.services import project_open
    from apps.projects.models import Membership
    from apps.projects.roles import Role
    from apps.projects.services import LabelSpec

    password, labels = make_password("a pass phrase"), [LabelSpec("ham"), LabelSpec("spam")]
    boss = User.objects.create(username="mona", password=password, is_superuser=True)
    project = project_open(name="Bench", task_type="text-classification", labels=labels, by=boss, at=timezone.now())
    made = User.objects.bulk_create(User(username=f"ada{n}", password=password) for n in range(8))
    Membership.objects.bulk_create(Membership(project=project, user=u, role=Role.ANNOTATOR) for u in made)
    return project.pk, signed_in(boss)


def _example(n: int, chance: random.Random) -> dict[str, Any]:
    return {"id": f"m{n}", "text": f"message {n}: {' '.join(chance.choices(WORDS, k=14))}"}


def _prediction(n: int, chance: random.Random) -> dict[str, Any]:
    value = chance.choice(("ham", "spam"))
    return {
        "id": f"m{n}",
        "prediction.value": value,
        "prediction.model": "v1",
        "prediction.confidence": chance.random(),
    }


def _answer(n: int, chance: random.Random) -> dict[str, Any]:
    return {
        "id": f"m{n}",
        "answer.by": f"ada{n % 8}",
        "answer.value": chance.choice(("ham", "spam")),
        "answer.active_ms": 4200,
        "answer.at": "2026-11-01T09:00:09Z",
        "answer.lane": "active",
        "answer.id": f"{n}",
    }


def _file(path: Path, rows: Iterator[dict[str, Any]]) -> Path:
    with path.open("w") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)
    return path


class Desk:
    """A browser that uploads and exports."""

    def __init__(self, url: str, project_id: int, headers: dict[str, str], web: Any) -> None:
        import httpx

        self._web = web
        kept = {name: value for name, value in headers.items() if name != "Content-Type"}
        self._client = httpx.Client(base_url=f"{url}/api/v1/projects/{project_id}", headers=kept, timeout=600)

    def upload(self, file: Path) -> float:
        """Seconds until the worker has read it to its end."""
        began = time.monotonic()
        with file.open("rb") as content:
            sent = self._client.post("/uploads/", files={"file": (file.name, content)})
        assert sent.status_code == 202, sent.text
        while True:
            now = self._client.get(f"/ingestions/{sent.json()['id']}/").json()
            if now["state"] in ("completed", "failed"):
                assert now["state"] == "completed" and not now["rows_refused"], now
                return time.monotonic() - began
            time.sleep(0.1)

    def export(self, name: str, grain: str) -> tuple[float, int, float]:
        """Seconds, bytes, and by how many MB the web process stood above its start at its highest."""
        done, peak = threading.Event(), [0.0]
        before = self._rss()

        def watch() -> None:
            while not done.wait(SAMPLED_EVERY_S):
                peak[0] = max(peak[0], self._rss())

        sampler = threading.Thread(target=watch)
        sampler.start()
        began, size = time.monotonic(), 0
        try:
            with self._client.stream("GET", "/export/", params={"as": name, "what": grain}) as answer:
                assert answer.status_code == 200
                for chunk in answer.iter_raw():
                    size += len(chunk)
            return time.monotonic() - began, size, max(peak[0] - before, 0.0)
        finally:
            done.set()
            sampler.join()

    def _rss(self) -> float:
        return float(self._web.memory_info().rss) / 1e6


@contextlib.contextmanager
def _web(home: Path) -> Iterator[tuple[str, Any]]:
    """The web process as production runs it, of which one is looked at."""
    import httpx
    import psutil

    (port,) = free_ports(1)
    module = [
        "uvicorn",
        "fastloop_console.asgi:application",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    with _running(module, home / "web.log") as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/api/v1/projects/", headers=BEHIND_TLS, timeout=2).status_code == 401:
                    break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"The web process did not answer within 30 s: {(home / 'web.log').read_text()[-2000:]}")
        yield url, psutil.Process(process.pid)


@contextlib.contextmanager
def _worker(home: Path) -> Iterator[None]:
    from fastloop_console.machine.processes import celery_worker

    with _running(celery_worker("fastloop_console.machine.celery", "default", concurrency=3), home / "worker.log"):
        yield


@contextlib.contextmanager
def _running(module: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = child.command(env.home(), os.getpid(), *module)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=env.ROOT, **lifeline.tied(os.environ), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()

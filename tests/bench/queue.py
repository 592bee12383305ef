"""The queue under load: M closed-loop annotators who call next and submit over HTTP, against a pool of N examples.

A home of its own with the embedded PostgreSQL and Redis, the web process in the production setting with one worker a
core, and this process as the browsers. Everything shares the machine's cores, this load generator included.
"""

import argparse
import asyncio
import bisect
import contextlib
import itertools
import json
import os
import secrets
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastloop_console.machine import child, env, lifeline
from fastloop_console.machine.ports import free_ports
from tests.bench._home import PRODUCTION, inside_of, is_inside

Say = Callable[[str], None]
WARM_UP_S = 3.0
LABELS = ("ham", "spam")
BEHIND_TLS = {"X-Forwarded-Proto": "https"}  # as a proxy says it that speaks TLS; production takes nothing else


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", type=int, default=100_000)
    parser.add_argument("--annotators", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=30.0, help="measured, after 3 s of warming up")
    parser.add_argument("--ordered", type=int, default=20_000, help="examples that wait in the active lane")
    parser.add_argument(
        "--apart", dest="together", action="store_false", help="submit and next in two requests; the desk sends one"
    )


def run(*, say: Say, pool: int, annotators: int, seconds: float, ordered: int, together: bool) -> dict[str, Any]:
    if is_inside():
        return inside(say, pool, annotators, seconds, ordered, together)
    given = ("--pool", pool, "--annotators", annotators, "--seconds", seconds, "--ordered", ordered)
    return inside_of("queue", *given, *([] if together else ["--apart"]), **PRODUCTION)


def inside(say: Say, pool: int, annotators: int, seconds: float, ordered: int, together: bool) -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    project, people = fill(say, pool, annotators, ordered)
    with web(say) as url:
        crowd = Crowd(url, project.pk, [on_page(url, headers) for headers in people], seconds, together)
        asyncio.run(crowd.work())
    found = crowd.figures() | checked(project, crowd, say)
    return found | {"load_average": round(os.getloadavg()[0], 1), "pool": pool, "annotators": annotators}


def fill(say: Say, pool: int, annotators: int, ordered: int) -> tuple[Any, list[dict[str, str]]]:
    """A project with its pool by COPY, an active lane in the order of its ids, and signed-in people."""
    from django.contrib.auth.hashers import make_password
    from django.db import connection
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.datasets.models import Example
    from apps.labeling.services.frontier import Origin, Scored, frontier_refill, frontier_swap
    from apps.loop.setup.services import project_open
    from apps.projects.models import Membership
    from apps.projects.roles import Role
    from apps.projects.services import LabelSpec

    began, at = time.monotonic(), timezone.now()
    password = make_password("a pass phrase")
    boss = User.objects.create(username="mona", password=password, is_superuser=True)
    project = project_open(
        name="Bench", task_type="text-classification", labels=[LabelSpec(x) for x in LABELS], by=boss, at=at
    )
    words = "please call me back about the invoice that came with the last delivery"
    with connection.cursor() as cursor:
        columns = "project_id, external_id, fields, holdout, collected_at, ingested_at, content_digest"
        with cursor.copy(f"COPY datasets_example ({columns}) FROM STDIN") as copy:
            for n in range(pool):
                text = json.dumps({"text": f"message {n}: {words}"})
                copy.write_row((project.pk, f"m{n}", text, n % 20 == 0, at, at, f"{n:032x}"))
        cursor.execute("ANALYZE")
    train = Example.objects.filter(project=project, holdout=False).order_by("pk").values_list("pk", flat=True)
    picks = [Scored(pk, {"strategy": "margin"}) for pk in train[:ordered]]
    frontier_swap(project=project, picks=picks, origin=Origin("margin", pool, run_number=1), at=at)
    frontier_refill(project=project, at=at, seed=1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    made = User.objects.bulk_create(User(username=f"ada{n}", password=password) for n in range(annotators))
    Membership.objects.bulk_create(Membership(project=project, user=u, role=Role.ANNOTATOR) for u in made)
    say(f"{pool:,} examples, {len(picks):,} of them in order, {annotators} people: {time.monotonic() - began:.1f} s")
    return project, [signed_in(user) for user in made]


def signed_in(user: Any) -> dict[str, str]:
    """The headers of a browser after its sign-in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session.create()
    csrf = secrets.token_hex(16)
    return {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={csrf}",
        "X-CSRFToken": csrf,
        "Content-Type": "application/json",
        "Accept": "application/json",
    }


def on_page(url: str, headers: dict[str, str]) -> dict[str, str]:
    """What the browser adds that looks at a page of this address, and the proxy between them."""
    return {**headers, **BEHIND_TLS, "Origin": url.replace("http:", "https:", 1)}


@contextlib.contextmanager
def web(say: Say) -> Iterator[str]:
    """The web process as production runs it: one worker a core."""
    import httpx

    (port,) = free_ports(1)
    command = child.command(
        env.home(),
        os.getpid(),
        "uvicorn",
        "fastloop_console.asgi:application",
        "--port",
        str(port),
        "--workers",
        str(os.cpu_count() or 1),
        "--no-access-log",
        "--log-level",
        "warning",
    )
    process = subprocess.Popen(command, cwd=env.ROOT, **lifeline.tied(os.environ), start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            if process.poll() is not None:
                raise RuntimeError(f"The web process ended with {process.returncode} before it answered.")
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/api/v1/", headers=BEHIND_TLS, timeout=5).status_code:
                    break
            time.sleep(0.1)
        for _ in range(20):  # so many that each worker has had one, and has loaded what it needs
            httpx.get(f"{url}/api/v1/", headers=BEHIND_TLS, timeout=30)
        say(f"the web process answers, {os.cpu_count()} workers")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def cpu_seconds() -> dict[str, float]:
    """What the web processes, PostgreSQL's and this one have used so far."""
    import psutil

    home, found = str(env.home()), {"web": 0.0, "postgres": 0.0, "load_generator": 0.0}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line, times = " ".join(process.cmdline()), process.cpu_times()
            mine = os.getpid() in (process.pid, *(p.pid for p in process.parents()))
            head = process if home in line else process.parent()
            of_home = "postgres" in line and head is not None and home in (head.cwd(), str(Path(head.cwd()).parent))
            name = "load_generator" if process.pid == os.getpid() else "web" if mine else "postgres" if of_home else ""
            if name:
                found[name] += times.user + times.system
    return found


@dataclass
class Crowd:
    """People who ask, think for no time at all, and answer."""

    url: str
    project: int
    people: list[dict[str, str]]
    seconds: float
    together: bool
    nexts: list[float] = field(default_factory=list)
    submits: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)  # assignments, in the order in which they arrived
    refused: list[str] = field(default_factory=list)
    cpu_ms: dict[str, float] = field(default_factory=dict)  # of an answer, by who spent it
    took: float = 0.0

    async def work(self) -> None:
        import aiohttp

        began = time.monotonic()
        self.counts_from, self.until = began + WARM_UP_S, began + WARM_UP_S + self.seconds
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as line:
            await asyncio.gather(self._spent(), *(self._one(line, n, headers) for n, headers in enumerate(self.people)))
        self.took = min(time.monotonic(), self.until) - self.counts_from

    async def _spent(self) -> None:
        """From the end of the warm-up: what each process loads with its first request belongs to no answer."""
        await asyncio.sleep(self.counts_from - time.monotonic())
        before, answers = cpu_seconds(), len(self.acknowledged)
        await asyncio.sleep(self.until - time.monotonic())
        answers = max(1, len(self.acknowledged) - answers)
        self.cpu_ms = {name: 1000 * (s - before[name]) / answers for name, s in cpu_seconds().items()}

    async def _one(self, line: Any, number: int, headers: dict[str, str]) -> None:
        held: list[dict[str, Any]] = []
        for turn in itertools.count(number):
            if time.monotonic() > self.until:
                return
            if not held:
                held = (await self._post(line, "next", {"count": 1}, headers, self.nexts))["assignments"]
                if not held:
                    return
            given, client_id = held.pop(), str(uuid.uuid4())
            said = {
                "client_id": client_id,
                "assignment": given["id"],
                "token": given["token"],
                "active_ms": 900,
                "label": LABELS[turn % 2],
                "want": int(self.together),
            }
            reply = await self._post(line, "answer", said, headers, self.submits)
            if reply:
                self.acknowledged.append(client_id)
            held = reply.get("assignments", [])

    async def _post(
        self, line: Any, what: str, body: dict[str, Any], headers: dict[str, str], times: list[float]
    ) -> dict[str, Any]:
        began = time.monotonic()
        address = f"{self.url}/projects/{self.project}/label/{what}/"
        async with line.post(address, data=json.dumps(body), headers=headers) as answer:
            text = await answer.read()
        ended = time.monotonic()
        if self.counts_from <= began and ended <= self.until:
            times.append(1000 * (ended - began))
        if answer.status != 200:
            self.refused.append(f"{what} {answer.status}: {text[:200]!r}")
            return {"assignments": []}
        reply = dict(json.loads(text))
        self.delivered.extend(a["id"] for a in reply["assignments"])
        return reply

    def figures(self) -> dict[str, Any]:
        return {
            "next_p50_ms": _quantile(self.nexts, 0.5),
            "next_p95_ms": _quantile(self.nexts, 0.95),
            "submit_p50_ms": _quantile(self.submits, 0.5),
            "submit_p95_ms": _quantile(self.submits, 0.95),
            "answers_per_s": round(len(self.submits) / self.took, 1) if self.took > 0 else 0.0,
            **{f"{name}_cpu_ms": round(ms, 2) for name, ms in self.cpu_ms.items()},
        }


def _quantile(values: list[float], share: float) -> float:
    return round(sorted(values)[int(share * (len(values) - 1))], 1) if values else 0.0


def checked(project: Any, crowd: Crowd, say: Say) -> dict[str, Any]:
    """What the database says of it: nothing lost, nothing twice, and the order kept."""
    from django.db.models import Count

    from apps.labeling.models import Annotation, Assignment, Label

    stored = set(map(str, Annotation.objects.filter(project=project).values_list("client_id", flat=True)))
    twice = Annotation.objects.filter(project=project, surplus=False).values("example_id", "assignment__slot")
    by_slot = twice.annotate(n=Count("pk")).filter(n__gt=1).count()
    by_person = twice.values("example_id", "annotator_id").annotate(n=Count("pk")).filter(n__gt=1).count()
    ranks = dict(Assignment.objects.filter(project=project, lane="active").values_list("pk", "rank"))
    served = [ranks[pk] for pk in crowd.delivered if pk in ranks]
    for line in crowd.refused[:5]:
        say(f"refused: {line}")
    say(
        f"{len(crowd.acknowledged):,} answers, {Label.objects.filter(project=project).count():,} labels, {len(served):,} by rank"
    )
    return {
        "duplicates": by_slot + by_person,
        "lost": len(set(crowd.acknowledged) - stored) + len(crowd.refused),
        "rank_error": passed_over(served),
    }


def passed_over(served: list[int]) -> int:
    """The most better-ranked examples that had still to arrive when one arrived.

    With M people in flight at once it is below M unless the order is broken: only what others are just being given
    may come later.

    >>> passed_over([0, 3, 1, 2, 4])
    2
    """
    later: list[int] = []
    worst = 0
    for rank in reversed(served):
        worst = max(worst, bisect.bisect_left(later, rank))
        bisect.insort(later, rank)
    return worst

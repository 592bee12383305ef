"""Fifty people at the desk over HTTP. Each keeps an outbox as a browser does: nothing is given up before it was taken."""

import asyncio
import itertools
import json
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from fastloop_console.machine.env import ROOT
from tests.console import Console

TRY_AGAIN_S = 0.3
REQUEST_S = 20.0


def inside(console: Console, *arguments: str) -> Any:
    """Run this module's `main` beside the console, on its database; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.team", *arguments],
        cwd=ROOT,
        env=console.environment(DJANGO_SETTINGS_MODULE="fastloop_console.settings.local"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@dataclass
class Team:
    """Answers by client id: sent at least once, and acknowledged with a 2xx."""

    url: str
    project: int
    people: list[dict[str, str]]
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    failures: int = 0
    until: float = 0.0

    def work(self, seconds: float, drain_s: float = 60.0) -> None:
        """Answer for so long, then only empty the outboxes."""
        self.until = time.monotonic() + seconds
        asyncio.run(self._work(self.until + drain_s))

    async def _work(self, give_up: float) -> None:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=REQUEST_S)
        ) as line:
            await asyncio.gather(*(self._person(line, n, h, give_up) for n, h in enumerate(self.people)))

    async def _person(self, line: Any, number: int, headers: dict[str, str], give_up: float) -> None:
        for turn in itertools.count(number):
            if time.monotonic() > self.until:
                return
            given = await self._insist(line, "next", {"count": 1}, headers, give_up)
            if not given["assignments"]:
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            assignment, client_id = given["assignments"][0], str(uuid.uuid4())
            answer = {"client_id": client_id, "assignment": assignment["id"], "token": assignment["token"]}
            self.sent.add(client_id)
            if await self._insist(line, "answer", {**answer, "label": ("ham", "spam")[turn % 2]}, headers, give_up):
                self.acknowledged.add(client_id)

    async def _insist(
        self, line: Any, what: str, body: dict[str, Any], headers: dict[str, str], give_up: float
    ) -> dict[str, Any]:
        """Send until it is taken; a refusal is written down and ends it."""
        while True:
            try:
                async with line.post(
                    f"{self.url}/projects/{self.project}/label/{what}/", data=json.dumps(body), headers=headers
                ) as reply:
                    text = await reply.text()
                if reply.status == 200:
                    return dict(json.loads(text))
                if reply.status < 500:
                    self.refused.append(f"{what} {reply.status} {text[:200]}")
                    return {"assignments": []} if what == "next" else {}
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            self.failures += 1
            if time.monotonic() > give_up:
                self.refused.append(f"{what}: given up")
                return {"assignments": []} if what == "next" else {}
            await asyncio.sleep(TRY_AGAIN_S)


def main(arguments: list[str]) -> Any:
    """`people PROJECT N` makes signed-in annotators; `kept PROJECT` says what the database has."""
    import django

    django.setup()
    from django.db.models import Count

    from apps.accounts.models import User
    from apps.labeling.models import Annotation, Assignment
    from apps.projects.models import Membership, Project
    from apps.projects.roles import Role
    from tests.bench.queue import signed_in

    project = Project.objects.get(pk=int(arguments[1]))
    if arguments[0] == "people":
        made = User.objects.bulk_create(User(username=f"team{project.pk}-{n}") for n in range(int(arguments[2])))
        Membership.objects.bulk_create(Membership(project=project, user=u, role=Role.ANNOTATOR) for u in made)
        return [signed_in(user) for user in made]
    annotations = Annotation.objects.filter(project=project)
    counted = annotations.filter(surplus=False, withdrawn_at=None)
    people = annotations.filter(withdrawn_at=None).values("example", "annotator").annotate(n=Count("pk"))
    held = Assignment.objects.filter(project=project, state="answered")
    return {
        "kept": [str(x) for x in annotations.values_list("client_id", flat=True)],
        "slots_twice": counted.values("example", "assignment__slot").annotate(n=Count("pk")).filter(n__gt=1).count(),
        "people_twice": people.filter(n__gt=1).count(),
        "answered": held.count(),
        "counted": counted.count(),
        "unsettled": list(
            counted.filter(example__label=None)
            .exclude(example__reviews__state="open")
            .values_list("example", flat=True)
        ),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))

"""Events of a Redis stream: how soon they are rows and ranked in the queue, how many a second, what is lost where all are killed.

The console's own workers and clock run on a home of their own. First `--rate` events a second come for `--seconds`:
`event_to_row_p95_s` is from the moment Redis took an event until its example can be read, `event_to_queue_p95_s` until an ordering
of the queue that knows its vector is in place (a cold start: no model is there yet). Then `--flood` events come at once:
`events_per_s` is from the first sent to the last row. Then as many come once more, and while they are read the worker, Redis and
PostgreSQL are each killed with -9; the console starts them again. `lost` are acknowledged events of both without an example,
`doubled` those that were taken twice. A producer sends again what was not acknowledged, as producers do.
"""

import argparse
import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError

from fastloop_console.machine import child, env, lifeline
from tests.bench._home import PRODUCTION, inside_of, is_inside

Say = Callable[[str], None]
AT_ONCE = 500  # events that a producer sends in one go
LOOKED_EVERY_S = 0.025
PATIENCE_S = 240.0
TEXT = "please call me back about the invoice that came with the last delivery"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=int, default=30, help="of events at --rate")
    parser.add_argument("--rate", type=int, default=20, help="events a second while waits are measured")
    parser.add_argument("--flood", type=int, default=100_000, help="events that come at once after that")


def run(*, say: Say, seconds: int, rate: int, flood: int) -> dict[str, Any]:
    if min(seconds, rate, flood) < 1:
        raise CommandError("--seconds, --rate and --flood are at least 1.")
    if is_inside():
        return inside(say, seconds, rate, flood, env.home())
    given = ("--seconds", seconds, "--rate", rate, "--flood", flood)
    return inside_of("stream", *given, **PRODUCTION)


def inside(say: Say, seconds: int, rate: int, flood: int, home: Path) -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    source = made()
    with console(home) as workers:
        first = sent(source, 0, 1)  # the encoder is loaded at the first
        waited_for(lambda: bool(ranked(source, first)), "the first rank")
        found = waits(source, seconds, rate, say)
        found |= flooded(source, 10_000_000, flood, say)
        harmed = flooded(source, 20_000_000, flood, say, lambda came: killing(home, workers, came, flood, say))
    found["lost"], found["doubled"] = found["lost"] + harmed["lost"], found["doubled"] + harmed["doubled"]
    found["events_per_s_while_killed"] = harmed["events_per_s"]
    names = ("event_to_row_p95_s", "event_to_queue_p95_s", "events_per_s", "lost", "doubled")
    last = {name: found.pop(name) for name in names}
    return {"load_average": round(os.getloadavg()[0], 1), "rate": rate, "flood": flood, **found, **last}


def made() -> Any:
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.loop.setup.services import project_open
    from apps.projects.services import LabelSpec
    from apps.sources.services import source_add

    at = timezone.now()
    boss = User.objects.create(username="mona", is_superuser=True)
    labels = [LabelSpec(name) for name in ("ham", "spam")]
    project = project_open(name="Bench", task_type="text-classification", labels=labels, by=boss, at=at)
    place = {"stream": "bench"}
    about = {"name": "Bench", "kind": "redis-stream", "place": place, "events": "examples", "mapping": {}}
    return source_add(project=project, by=boss, at=at, **about)


class Workers:
    """The processes that a console has beside its pages, as `up` starts them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.commands = dict[str, tuple[list[str], dict[str, str]]]()
        self.running = dict[str, Any]()
        self.over = threading.Event()

    def add(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.commands[name] = command, environment
        self.start(name)

    def start(self, name: str) -> None:
        command, environment = self.commands[name]
        whole = child.command(self.home, os.getpid(), *command)
        own = {**os.environ, **environment, "DJANGO_SETTINGS_MODULE": PRODUCTION["DJANGO_SETTINGS_MODULE"]}
        self.running[name] = subprocess.Popen(
            whole, cwd=env.ROOT, **lifeline.tied(own), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def keep(self) -> None:
        """Start again what ended, as the console does, until it is over."""
        while not self.over.wait(0.5):
            for name in [name for name, process in self.running.items() if process.poll() is not None]:
                self.start(name)

    def end(self) -> None:
        self.over.set()
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


@contextlib.contextmanager
def console(home: Path) -> Iterator[Workers]:
    from fastloop_console.machine import processes

    workers: Any = Workers(home)
    for add in (processes.add_default_worker, processes.add_training_worker, processes.add_beat):
        add(workers)
    keeper = threading.Thread(target=workers.keep)
    keeper.start()
    try:
        yield workers
    finally:
        workers.over.set()
        keeper.join()
        workers.end()


def waited_for(there: Callable[[], bool], what: str) -> None:
    """Raises CommandError where it does not come."""
    from django.db import DatabaseError, connection

    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            if there():
                return
        except DatabaseError:  # PostgreSQL is just coming back
            connection.close()
            connection.close_pool()
        time.sleep(0.1)
    raise CommandError(f"{what.capitalize()} did not come in {PATIENCE_S:.0f} s.")


def sent(source: Any, first: int, count: int) -> dict[str, float]:
    """By id when Redis took it, in seconds since 1970. What is not acknowledged is sent again until it is."""
    from apps.integrations.ports import Unavailable
    from apps.sources.consuming import stream_of

    names = [f"m{n}" for n in range(first, first + count)]
    values = [json.dumps({"id": name, "text": f"{name}: {TEXT}"}).encode() for name in names]
    while True:
        try:
            offsets = stream_of(source).write(values)
            return {name: int(offset.partition("-")[0]) / 1000 for name, offset in zip(names, offsets, strict=True)}
        except Unavailable:
            time.sleep(0.1)


def waits(source: Any, seconds: int, rate: int, say: Say) -> dict[str, Any]:
    when, seen, over = dict[str, float](), dict[str, float](), threading.Event()
    watcher = threading.Thread(target=watched, args=(source, seen, over))
    watcher.start()
    for second in range(seconds):
        began = time.monotonic()
        for n in range(rate):
            when |= sent(source, 1 + second * rate + n, 1)
            time.sleep(max(0.0, began + (n + 1) / rate - time.monotonic()))
    waited_for(lambda: len(seen) >= len(when), "every row")
    waited_for(lambda: len(ranked(source, when)) >= len(when), "every rank")
    over.set()
    watcher.join()
    rows = np.array([seen[name] - moment for name, moment in when.items()])
    ranks = ranked(source, when)
    order = np.array([ranks[name] - moment for name, moment in when.items()])
    found = {
        "event_to_row_p50_s": round(float(np.percentile(rows, 50)), 3),
        "event_to_row_p95_s": round(float(np.percentile(rows, 95)), 3),
        "event_to_queue_p50_s": round(float(np.percentile(order, 50)), 2),
        "event_to_queue_p95_s": round(float(np.percentile(order, 95)), 2),
    }
    say(json.dumps(found))
    return found


def watched(source: Any, seen: dict[str, float], over: threading.Event) -> None:
    """Write down when each example could first be read."""
    from django.db import connection

    from apps.datasets.models import Example

    newest = 0
    while not over.wait(LOOKED_EVERY_S):
        fresh = Example.objects.filter(project=source.project_id, pk__gt=newest).order_by("pk")
        for pk, name in fresh.values_list("pk", "external_id"):
            newest, seen[name] = pk, time.time()
    connection.close()


def ranked(source: Any, when: dict[str, float]) -> dict[str, float]:
    """By id when the first ordering was in place that knew it."""
    from apps.datasets.models import Example
    from apps.labeling.models import ScoringPass, ScoringState

    passes = ScoringPass.objects.filter(project=source.project_id, state=ScoringState.DONE).order_by("finished_at")
    orders = list(passes.values_list("newest_example", "finished_at"))
    found = {}
    for pk, name in Example.objects.filter(project=source.project_id).values_list("pk", "external_id"):
        ended = next((at for newest, at in orders if at and newest >= pk), None)
        if ended is not None and name in when:
            found[name] = ended.timestamp()
    return found


def flooded(
    source: Any, first: int, flood: int, say: Say, harm: Callable[[Callable[[], int]], None] | None = None
) -> dict[str, Any]:
    from django.db.models import Sum

    from apps.datasets.models import Example
    from apps.sources.models import SourceMinute

    def produced() -> None:
        for n in range(0, flood, AT_ONCE):
            sent(source, first + n, min(AT_ONCE, flood - n))

    rows, minutes = Example.objects.filter(project=source.project_id), SourceMinute.objects.filter(source=source)
    before, taken_before = rows.count(), minutes.aggregate(n=Sum("taken"))["n"]
    producer, began = threading.Thread(target=produced), time.monotonic()
    producer.start()
    if harm:
        harm(lambda: rows.count() - before)
    producer.join()
    with contextlib.suppress(CommandError):
        waited_for(lambda: rows.count() - before >= flood, "every row")
    took, there = time.monotonic() - began, rows.count() - before
    taken = minutes.aggregate(n=Sum("taken"))["n"] - taken_before
    found = {"events_per_s": round(there / took, 1), "lost": flood - there, "doubled": taken - there}
    say(json.dumps(found))
    return found


def killing(home: Path, workers: Workers, came: Callable[[], int], flood: int, say: Say) -> None:
    """Each once, at a quarter, a half and three quarters of the rows."""
    from django.db import connection

    from tests.bench._killing import postgres_killed, redis_killed

    for share, name in ((0.25, "worker"), (0.5, "redis"), (0.75, "postgres")):
        waited_for(lambda share=share: came() >= share * flood, f"{share:.0%} of the rows")  # type: ignore[misc]
        say(f"killed with -9 after {came():,} rows: {name}")
        if name == "worker":
            workers.running["default"].kill()
        elif name == "redis":
            redis_killed(home)
        else:
            postgres_killed(home)
            connection.close()
            connection.close_pool()

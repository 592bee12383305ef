"""The prediction log at volume: what is acknowledged is logged, once, whoever is killed; and the monitor page at ten million.

First a process with the predictor's own log acknowledges answers at a rate, each once it is in its file, for a minute. Meanwhile
Redis and PostgreSQL are killed with -9 and started again, then that process, then once more while its writer is within a
transaction; another goes on in its place. `lost` are acknowledged answers that are not in the table, `doubled` those that are
there twice. `per_s` is what was acknowledged by the second in which a process answered.

Then the log is filled up to `--logged` answers over thirty days, and the monitor page and its figures are fetched from the web
process as production runs it; `monitor_p95_ms` is the slower one of the two.
"""

import argparse
import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from fastloop_console.machine import child, env, lifeline
from tests.bench._home import PRODUCTION, inside_of, is_inside

Say = Callable[[str], None]
GAP = 1_000_000  # between the numbers of two processes: what one appended and did not acknowledge is no other's
FETCHES = 50
PERIODS = ("24h", "7d", "30d")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=int, default=60, help="of answers at --rate")
    parser.add_argument("--rate", type=int, default=5_100, help="answers a second that are offered")
    parser.add_argument("--logged", type=int, default=10_000_000, help="answers in the log when pages are fetched")


def run(*, say: Say, seconds: int, rate: int, logged: int) -> dict[str, Any]:
    if min(seconds, rate, logged) < 1:
        raise CommandError("--seconds, --rate and --logged are at least 1.")
    if is_inside():
        return inside(say, seconds, rate, logged, env.home())
    given = ("--seconds", seconds, "--rate", rate, "--logged", logged)
    return inside_of("log", *given, **PRODUCTION)


def inside(say: Say, seconds: int, rate: int, logged: int, home: Path) -> dict[str, Any]:
    from django.core.management import call_command

    from tests.bench.transfer import _people

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)  # pages name their files by what is in them
    project_id, headers = _people()
    found = acknowledged(say, home, project_id, seconds, rate)
    found |= filled(say, project_id, logged)
    found |= pages(say, home, project_id, headers)
    last = {name: found.pop(name) for name in ("per_s", "lost", "monitor_p95_ms")}
    return found | last


class Answering:
    """One process that answers, and how far it said that it came."""

    def __init__(self, home: Path, project_id: int, first: int, count: int, rate: int) -> None:
        self.first, self.last, self.figures = first, first - 1, dict[str, Any]()
        self.began = self.ended = time.monotonic()
        arguments = map(str, (home / "spool", project_id, first, count, rate))
        command = child.command(home, os.getpid(), "tests.bench._answering", *arguments)
        self.process = subprocess.Popen(command, cwd=env.ROOT, **lifeline.tied(os.environ), stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b"{"):
                self.figures = json.loads(line)
            elif line.endswith(b"\n"):
                if self.last < self.first:
                    self.began = time.monotonic()
                self.last, self.ended = int(line), time.monotonic()

    def kill(self) -> None:
        self.process.kill()
        self.finish()

    def finish(self) -> None:
        self.process.wait()
        self._reader.join()


def acknowledged(say: Say, home: Path, project_id: int, seconds: int, rate: int) -> dict[str, Any]:
    from django.db import connection

    from tests.bench._killing import postgres_killed, redis_killed

    total, done = seconds * rate, list[Answering]()
    kills = [("redis", 0.15), ("postgres", 0.35), ("predictor", 0.55), ("writer", 0.75)]
    now = Answering(home, project_id, 0, total, rate)
    while True:
        so_far = sum(each.count for each in done) + now.count
        if kills and so_far >= kills[0][1] * total:
            name, _ = kills.pop(0)
            say(f"killed with -9 after {so_far:,} answers: {name}")
            if name == "redis":
                redis_killed(home)
            elif name == "postgres":
                postgres_killed(home)
                connection.close()  # this process's own, and those that it keeps for later
                connection.close_pool()
            else:
                if name == "writer":
                    within_a_transaction()
                now.kill()
                done.append(now)
                left = total - sum(each.count for each in done)
                now = Answering(home, project_id, GAP * len(done), left, rate)
        elif now.process.poll() is not None:
            break
        time.sleep(0.02)
    now.finish()
    done.append(now)
    took = sum(each.ended - each.began for each in done)
    found = {
        "acknowledged": sum(each.count for each in done),
        "per_s": round(sum(each.count for each in done) / took, 1),
        "append_us": now.figures,
        "killed": ["redis", "postgres", "predictor", "writer"][: 4 - len(kills)],
        **logged_of(project_id, done),
    }
    say(json.dumps(found))
    return found


def within_a_transaction() -> None:
    """Returns while the writer's transaction is open; rows are on their way and not there yet."""
    from django.db import connection

    until = time.monotonic() + 30
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND xact_start IS NOT NULL "
                "AND query LIKE 'COPY monitoring_prediction%'"
            )
            if cursor.fetchone() != (0,):
                return
    raise CommandError("The writer was never seen within a transaction.")


def logged_of(project_id: int, done: list[Answering]) -> dict[str, int]:
    from django.db import connection

    lost = doubled = 0
    with connection.cursor() as cursor:
        for each in done:
            cursor.execute(
                "SELECT count(*), count(DISTINCT inference_id) FROM monitoring_prediction "
                "WHERE project_id = %s AND inference_id BETWEEN %s AND %s",
                [project_id, f"b{each.first:09d}", f"b{each.last:09d}"],
            )
            rows, ids = cursor.fetchone()
            lost, doubled = lost + each.count - ids, doubled + rows - ids
        cursor.execute("SELECT count(*) FROM monitoring_prediction")
        (rows,) = cursor.fetchone()
        cursor.execute("SELECT sum(answers) FROM monitoring_answerrollup WHERE width = 60")
        (counted,) = cursor.fetchone()
    return {"lost": lost, "doubled": doubled, "rows_less_counted": rows - int(counted)}


_FILL = """
INSERT INTO monitoring_prediction
  (project_id, inference_id, item, at, model_number, label, confidence, latency_ms, arm, rollout, entity, failed)
SELECT %(project)s, 'f' || n, 0, now() - (n::float8 / %(rows)s) * interval '30 days', 1 + n %% 3, 'label ' || n %% 10,
       (n %% 1000) / 1000.0, exp(2 + (n %% 700) / 200.0), CASE WHEN n %% 20 = 0 THEN 'canary' ELSE 'champion' END,
       CASE WHEN n %% 20 = 0 THEN 1 END, n, n %% 1000 = 0
FROM generate_series(%(first)s::bigint, %(last)s) n
"""
_DAYS = 30
_PART = 1_000_000


def filled(say: Say, project_id: int, logged: int) -> dict[str, Any]:
    """Up to so many, by statements of a million; then the roll-ups as the migration makes them."""
    from importlib import import_module

    from django.db import connection
    from django.utils import timezone

    from apps.monitoring.log import partitions

    began = time.monotonic()
    days = [timezone.now() - timedelta(days=n) for n in range(_DAYS + 2)]
    partitions.partitions_ensure(table="monitoring_prediction", moments=days)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM monitoring_prediction")
        left = logged - cursor.fetchone()[0]
        cursor.execute(
            "SET session_replication_role = replica"
        )  # one project; its key is not looked up ten million times
        for first in range(1, left + 1, _PART):
            last = min(first + _PART - 1, left)
            cursor.execute(_FILL, {"project": project_id, "rows": left, "first": first, "last": last})
            say(f"{last:,} of {left:,} more answers in the log after {time.monotonic() - began:.0f} s")
        cursor.execute("RESET session_replication_role")
        cursor.execute("TRUNCATE monitoring_answerrollup, monitoring_latencyrollup")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute(import_module("apps.monitoring.migrations.0011_rollups").COUNTED)
        cursor.execute(import_module("apps.monitoring.migrations.0013_quarters").QUARTERS)
        cursor.execute("VACUUM ANALYZE monitoring_prediction, monitoring_answerrollup, monitoring_latencyrollup")
        cursor.execute("SELECT count(*) FROM monitoring_prediction")
        (rows,) = cursor.fetchone()
    say(f"{rows:,} answers are logged and counted after {time.monotonic() - began:.0f} s")
    return {"logged": rows, "filled_s": round(time.monotonic() - began, 1)}


def pages(say: Say, home: Path, project_id: int, headers: dict[str, str]) -> dict[str, Any]:
    import httpx

    from tests.bench.queue import on_page
    from tests.bench.transfer import _web

    taken: dict[str, list[float]] = {"page": [], "figures": []}
    with _web(home) as (url, _), httpx.Client(timeout=60) as browser:
        for number in range(-len(PERIODS), FETCHES):  # once each before it counts
            query = {"period": PERIODS[number % len(PERIODS)]}
            for name, address in (("page", "monitor/"), ("figures", "monitor/figures/")):
                asked = time.perf_counter()
                at = f"{url}/projects/{project_id}/{address}"
                answer = browser.get(at, params=query, headers=on_page(url, headers))
                if number >= 0:
                    taken[name].append(1e3 * (time.perf_counter() - asked))
                if answer.status_code != 200:
                    raise CommandError(f"{answer.url} answered {answer.status_code}.")
    found = {f"{name}_p95_ms": round(sorted(times)[FETCHES * 95 // 100], 1) for name, times in taken.items()}
    found |= {f"{name}_p50_ms": round(sorted(times)[FETCHES // 2], 1) for name, times in taken.items()}
    found["monitor_p95_ms"] = max(found["page_p95_ms"], found["figures_p95_ms"])
    with contextlib.suppress(OSError):
        found["load_average"] = round(os.getloadavg()[0], 1)
    say(json.dumps(found))
    return found

"""The table of examples: how long each filter and order of the Data page takes, and which of them read a whole table.

A home of its own with the embedded PostgreSQL; the page is asked through Django's own client, without HTTP and browser.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from tests.bench._home import inside_of, is_inside

Say = Callable[[str], None]
FILTERS = {
    "all": "",
    "label": "label=rare",
    "label_common": "label=ham",
    "no_label": "label=-",
    "text": "text=message+4242",
    "person": "by=ada0",
    "lane": "lane=random",
    "confidence": "percent_max=52&percent_min=50",
    "added": "added_from={day}&added_to={day}",
    "labeled": "labeled_from={day}&labeled_to={day}",
    "flagged": "state=flagged",
    "disagreed": "state=disagreed",
    "unlabeled": "state=unlabeled",
    "holdout": "side=holdout",
    "sort_unsure": "sort=unsure",
    "sort_labeled": "sort=labeled",
    "sort_collected": "sort=collected",
    "last_page": "page=9999",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20, help="each filter is asked, for its p95")
    parser.add_argument("--plans", action="store_true", help="say which tables each query reads from end to end")


def run(*, say: Say, rows: int, times: int, plans: bool) -> dict[str, Any]:
    if is_inside():
        return inside(say, rows, times, plans)
    return inside_of("data", "--rows", rows, "--times", times, *(["--plans"] if plans else []))


def inside(say: Say, rows: int, times: int, plans: bool) -> dict[str, Any]:
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    call_command("migrate", verbosity=0)
    project, boss, day = fill(say, rows)
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(boss)
    found: dict[str, Any] = {"rows": rows, "load_average": round(os.getloadavg()[0], 1)}
    for name, query in FILTERS.items():
        address = f"{reverse('datasets:data', args=[project.pk])}?{query.format(day=day)}"
        browser.get(address)
        taken = sorted(_seconds(lambda address=address: browser.get(address)) for _ in range(times))
        found[f"{name}_p95_ms"] = round(1000 * taken[int(0.95 * (times - 1))], 1)
        if plans:
            found[f"{name}_reads_whole"] = sorted(whole_reads(project, query.format(day=day)))
    return found


def _seconds(ask: Callable[[], Any]) -> float:
    began = time.perf_counter()
    assert ask().status_code == 200
    return time.perf_counter() - began


def whole_reads(project: Any, query: str) -> set[str]:
    """Tables that the query of the rows, or of their number, reads from end to end."""
    from django.http import QueryDict

    from apps.datasets.listing import ListingAsked, examples_listed

    listed = examples_listed(project, ListingAsked(QueryDict(query)))
    plans = [listed[:50].explain(format="json"), listed.order_by().values("pk").explain(format="json")]
    return {table for plan in plans for table in _whole(json.loads(plan)[0]["Plan"])}


def _whole(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield str(node["Relation Name"])
    for inner in node.get("Plans", ()):
        yield from _whole(inner)


def fill(say: Say, rows: int) -> tuple[Any, Any, str]:
    """Two projects of `rows` examples over 200 days: half labeled, one in ten answered twice, one in 500 flagged."""
    from django.db import connection
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.loop.setup.services import project_open
    from apps.projects.services import LabelSpec

    began, at = time.monotonic(), timezone.now()
    boss = User.objects.create(username="mona", is_superuser=True)
    people = User.objects.bulk_create(User(username=f"ada{n}") for n in range(20))
    for name in ("Beside", "Bench"):  # tables that hold one project only would be read whole whatever is asked
        labels = [LabelSpec(x) for x in ("ham", "spam", "rare")]
        project = project_open(name=name, task_type="text-classification", labels=labels, by=boss, at=at)
        bound = {
            "project": project.pk,
            "rows": rows,
            "at": at,
            "labels": list(project.labels.values_list("pk", flat=True)),
            "people": [person.pk for person in people],
        }
        with connection.cursor() as cursor:
            for statement in STATEMENTS:
                cursor.execute(statement, bound)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    say(f"twice {rows:,} examples with labels and answers: {time.monotonic() - began:.1f} s")
    return project, boss, f"{at - timedelta(days=100):%Y-%m-%d}"


_OF = "FROM datasets_example e WHERE e.project_id = %(project)s"
_DAYS = "%(at)s - make_interval(days => (e.id %% 200)::int)"
STATEMENTS = (
    """INSERT INTO datasets_example
       (project_id, external_id, fields, holdout, collected_at, ingested_at, content_digest)
       SELECT %(project)s, 'm' || n, jsonb_build_object('text', 'message ' || n || ': please call me back about the ' ||
           'invoice that came with the last delivery'), n %% 20 = 0, %(at)s - make_interval(days => n %% 200),
           %(at)s - make_interval(secs => (%(rows)s - n) * 17280000.0 / %(rows)s), md5(n::text)
       FROM generate_series(1, %(rows)s) n""",
    f"""INSERT INTO labeling_label
        (project_id, example_id, label_id, confidence, source, holdout, lane, shown_at, resolved_at)
        SELECT %(project)s, e.id, (%(labels)s::bigint[])[CASE WHEN e.id %% 400 = 0 THEN 3 ELSE 1 + e.id %% 4 / 2 END],
               0.5 + (e.id * 7919 %% 5000) / 10000.0, 'consensus', e.holdout,
               'active', {_DAYS}, {_DAYS} {_OF} AND e.id %% 2 = 0""",
    f"""INSERT INTO labeling_assignment
        (project_id, example_id, slot, holder_id, state, token, leased_at, leased_until, lane, rank, reason, suggestion,
         suggestion_source, planted)
        SELECT %(project)s, e.id, s, (%(people)s::bigint[])[1 + (e.id + s) %% 20], 'answered', gen_random_uuid(),
               {_DAYS}, {_DAYS}, CASE WHEN e.id %% 50 = 0 THEN 'random' ELSE 'active' END, 0, '{{}}', '', '', false
        FROM datasets_example e CROSS JOIN generate_series(0, 1) s
        WHERE e.project_id = %(project)s AND e.id %% 2 = 0 AND (s = 0 OR e.id %% 10 = 0)""",
    """INSERT INTO labeling_annotation
       (project_id, client_id, example_id, assignment_id, annotator_id, label_id, skip_reason, comment, flagged,
        error_kind, shown_at, answered_at, active_ms, surplus)
       SELECT a.project_id, gen_random_uuid(), a.example_id, a.id, a.holder_id,
              (%(labels)s::bigint[])[CASE WHEN a.example_id %% 100 = 0 THEN 1 + a.slot ELSE 1 + a.example_id %% 2 END],
              '', '', a.id %% 500 = 0, '', a.leased_at, a.leased_at, 2000, false
       FROM labeling_assignment a WHERE a.project_id = %(project)s""",
)

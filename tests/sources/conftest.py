"""A source on a stream of its own, and what is sent to it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from apps.integrations import wiring
from apps.projects.models import Project
from apps.sources.consuming import partition_read, stream_of
from apps.sources.looking import sources_look
from apps.sources.models import Source, SourcePartition
from apps.sources.services import source_add
from tests.rows import Sent


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    jobs = Sent([])
    monkeypatch.setattr(wiring, "jobs", jobs)
    return jobs


@pytest.fixture(autouse=True)
def broker(settings: Any, worker_id: str) -> Iterator[redis.Redis]:
    """Processes that test side by side have one Redis, and projects of the same numbers: each has a part of its own."""
    address = urlsplit(settings.REDIS_URL)
    settings.REDIS_URL = address._replace(
        path=f"/{8 + int(worker_id.removeprefix('gw') if worker_id != 'master' else 0)}"
    ).geturl()
    line = redis.Redis.from_url(settings.REDIS_URL)
    yield line
    line.flushdb()


@pytest.fixture
def make_source(project: Project, mona: Any, broker: redis.Redis) -> Callable[..., Source]:
    def make(events: str = "examples", **more: Any) -> Source:
        place = {"stream": f"s{Source.objects.count()}", "partitions": more.pop("partitions", 1)}
        given = {"name": f"Orders {Source.objects.count()}", "mapping": {}, "by": mona} | more
        return source_add(project=project, kind="redis-stream", place=place, events=events, at=timezone.now(), **given)

    return make


@pytest.fixture
def source(make_source: Callable[..., Source]) -> Source:
    return make_source()


def send(source: Source, *events: Any, at: str = "*") -> list[str]:
    """Objects as JSON, bytes as they are."""
    line, keys = redis.Redis.from_url(settings.REDIS_URL), stream_of(source).partitions()
    values = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in events]
    return [line.xadd(keys[i % len(keys)], {"event": value}, id=at).decode() for i, value in enumerate(values)]


def read(source: Source, at: datetime | None = None) -> dict[str, int]:
    """A look, and every partition read to its end; what became of the events."""
    sources_look(at=at or timezone.now())
    counts: dict[str, int] = {}
    for partition in source.partitions.all():
        now = (lambda: at) if at else timezone.now
        for state, n in partition_read(partition_id=partition.pk, now=now).items():
            counts[str(state)] = counts.get(str(state), 0) + n
    return counts


def partition_of(source: Source) -> SourcePartition:
    return source.partitions.get()


def text(n: int, **more: Any) -> dict[str, Any]:
    return {"id": f"e{n}", "text": f"text {n}"} | more

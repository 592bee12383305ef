"""Streams in the console's own Redis: what is there without a broker. Each key begins with its project's prefix.

An event is the field `event` of an entry, as JSON; an entry without it is an object of its fields. No consumer group: how far
we are stands in PostgreSQL, beside the rows.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from django.utils.translation import gettext_lazy

from apps.integrations.ports import Unavailable
from apps.rules.sentences import sentence
from apps.rules.values import ValueRefused
from apps.sources.kinds.source_kind import SourceKind, StreamEnds, StreamEvent, StreamLag

MOST_COUNTED = 10_000  # entries that a lag counts; beyond it is said as “at least”
TIMEOUT_S = 3.0
MOST_PARTITIONS = 16
_STREAM = re.compile(r"[A-Za-z0-9._-]{1,80}")
_OFFSET = re.compile(r"(\d{1,19})(?:-(\d{1,19}))?")
# Values of up to a megabyte each must not travel only to be counted: the script answers with two numbers.
_LAG = """
local found = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
if #found == 0 then return {0, ''} end
return {#found, found[1][1]}
"""


class RedisStream:
    """One source's keys: `events:<project>:<stream>`, or that with `:<n>` for each of several partitions."""

    def __init__(self, project_id: int, place: Mapping[str, Any]) -> None:
        key, n = f"events:{project_id}:{place['stream']}", int(place.get("partitions", 1))
        self._keys = [key] if n == 1 else [f"{key}:{i}" for i in range(n)]

    def partitions(self) -> Sequence[str]:
        return self._keys

    def read(self, partition: str, position: str, *, most: int, wait_s: float = 0.0) -> list[StreamEvent]:
        block = max(1, int(1000 * wait_s)) if wait_s else None
        with _asked() as line:
            found = line.xread({partition: position or "0-0"}, count=most, block=block)
        return [_event(*entry) for _, entries in found or () for entry in entries]

    def ends(self, partition: str) -> StreamEnds:
        with _asked() as line:
            if not line.exists(partition):
                return StreamEnds("", "")
            about = line.xinfo_stream(partition)
        first, newest = about["first-entry"], _text(about["last-generated-id"])
        return StreamEnds(_text(first[0]) if first else "", "" if newest == "0-0" else newest)

    def lag(self, partition: str, position: str, *, at: datetime) -> StreamLag:
        with _asked() as line:
            n, first = line.eval(_LAG, 1, partition, f"({position}" if position else "-", MOST_COUNTED)
        waited = (at - _moment(_text(first))).total_seconds() if n else 0.0
        return StreamLag(int(n), max(0.0, waited), _text(first))

    def newest(self, partition: str, most: int) -> list[StreamEvent]:
        with _asked() as line:
            found = line.xrevrange(partition, count=most)
        return [_event(*entry) for entry in reversed(found)]

    def position_at(self, partition: str, moment: datetime) -> str:
        ms = max(0, int(moment.timestamp() * 1000))
        return f"{ms - 1}-{2**64 - 1}" if ms else ""

    def position_given(self, given: str) -> str:
        found = _OFFSET.fullmatch(given.strip())
        if found is None:
            raise ValueRefused(
                sentence("An offset of a Redis stream is like 1764500000000-0, not “{given}”.", given=given[:40])
            )
        return f"{int(found[1])}-{int(found[2] or 0)}"

    def is_before(self, one: str, other: str) -> bool:
        return _parts(one) < _parts(other)

    def forget(self, partition: str, upto: str, *, before: datetime) -> None:
        ms, n = min(_parts(upto), _parts(self.position_at(partition, before)))
        with _asked() as line:
            line.xtrim(partition, minid=f"{ms}-{n}", approximate=True)

    def close(self) -> None:
        pass  # its connection is the process's

    def write(self, values: Sequence[bytes]) -> list[str]:
        with _asked() as line:
            several = line.pipeline(transaction=True)
            for i, value in enumerate(values):
                several.xadd(self._keys[i % len(self._keys)], {"event": value})
            return [_text(each) for each in several.execute()]


def keys_remove(project_id: int) -> int:
    """Every stream of a project; how many there were. Raises Unavailable."""
    with _asked() as line:
        keys = list(line.scan_iter(f"events:{project_id}:*", count=1000))
        return int(line.unlink(*keys)) if keys else 0


@lru_cache(maxsize=4)
def _line(address: str) -> redis.Redis:
    return redis.Redis.from_url(address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


@contextmanager
def _asked() -> Any:
    """Raises Unavailable in words; permanent where the key is no stream."""
    try:
        yield _line(settings.REDIS_URL)
    except redis.ResponseError as cause:
        if str(cause).startswith("WRONGTYPE"):
            raise Unavailable(
                sentence("Another kind of value stands under this name in Redis."), permanent=True
            ) from cause
        raise Unavailable(sentence("Redis answers: {fault}", fault=str(cause)[:160])) from cause
    except redis.RedisError as cause:
        raise Unavailable(sentence("Redis does not answer.")) from cause


def _text(given: bytes | str) -> str:
    return given.decode() if isinstance(given, bytes) else str(given)


def _parts(offset: str) -> tuple[int, int]:
    ms, _, n = (offset or "0-0").partition("-")
    return int(ms), int(n or 0)


def _moment(offset: str) -> datetime:
    """Redis numbers entries by its clock; whoever numbers them otherwise has no moment, and then it is the beginning of time."""
    try:
        return datetime.fromtimestamp(_parts(offset)[0] / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _event(offset: bytes, fields: Mapping[bytes, bytes]) -> StreamEvent:
    name = _text(offset)
    value = fields.get(b"event")
    if value is None:
        value = json.dumps(
            {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in fields.items()}
        ).encode()
    return StreamEvent(name, _moment(name), value)


def _place(given: Mapping[str, Any]) -> dict[str, Any]:
    stream, n = str(given.get("stream", "")).strip(), given.get("partitions", 1)
    if not _STREAM.fullmatch(stream):
        raise ValueRefused(
            sentence(
                "The name of a stream has 1 to 80 letters, digits, dots, dashes and underscores; not “{given}”.",
                given=stream[:80],
            )
        )
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_PARTITIONS:
        raise ValueRefused(sentence("A stream has 1 to {most} partitions.", most=MOST_PARTITIONS))
    return {"stream": stream, "partitions": n}


def _by_hand(project_id: int, place: Mapping[str, Any]) -> list[str]:
    return [f"XADD {key} * event '{{…}}'" for key in RedisStream(project_id, place).partitions()]


REDIS_STREAM = SourceKind("redis-stream", gettext_lazy("Redis stream"), _place, RedisStream, _by_hand)

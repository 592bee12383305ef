"""What one web process remembers between requests so as not to ask again: all of it, in one place.

Each is a shortcut that may be forgotten at any moment, and none decides who may do what: the database has the last word.
"""

import time
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
MOST = 10_000  # entries each, a few hundred bytes an entry


class Memory(Generic[K, V]):
    """Values by key, each for some seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._kept: dict[K, tuple[float, V]] = {}

    def get(self, key: K) -> V | None:
        until, value = self._kept.get(key, (0.0, None))
        return value if time.monotonic() < until else None

    def put(self, key: K, value: V, *, seconds: float | None = None) -> None:
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = (time.monotonic() + (self._seconds if seconds is None else seconds), value)

    def forget(self, key: K) -> None:
        self._kept.pop(key, None)


dry_lanes = Memory[int, set[str]](2)  # project -> lanes that had nothing: not drawn in vain at every answer
refill_pause = Memory[tuple[int, str], bool]()  # project and lane: one that stayed empty is not tried again at once
progress_told = Memory[tuple[int, int], bool](5)  # project and person: the desk counts by itself in between
team_progress = Memory[int, tuple[int, int]]()  # project -> labeled, examples; only where the count was slow
sessions = Memory[str, tuple[str, int, str]](
    3600
)  # key -> its stored text, person and hash: unpacked once; see the desk

"""The spool of one predictor: segments in a folder, the newest of which is appended to, bounded in bytes.

A segment that an earlier process left is read like one's own. Nothing here knows the database.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from apps.monitoring.log.services import LoggedPrediction
from workers.predictor.spool.records import encoded
from workers.predictor.spool.segments import SUFFIX, Segment, SegmentUnreadable, segment_found, segment_made

logger = logging.getLogger(__name__)
SEGMENT_BYTES = 8_000_000  # about 40,000 answers without what was asked; at most a sixteenth of the bound
ASIDE = ".aside"


class Spool:
    """`instances` are those of the console's keys, today's first. `most_bytes` is the bound of all segments together."""

    def __init__(self, folder: Path, instances: Sequence[str], most_bytes: int) -> None:
        self.folder, self.instances, self.most_bytes = folder, tuple(instances), most_bytes
        self.segment_bytes = max(min(SEGMENT_BYTES, most_bytes // 16), 1)
        self._segments: list[Segment] = []
        self._active: Segment | None = None
        self._unsynced: list[int] = []  # of segments that are full
        self._reading: Segment | None = None
        self._full_bytes = 0  # of all but the active one
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        return self._full_bytes + (self._active.size if self._active else 0)

    @property
    def waiting(self) -> int:
        """Answers that are not in the database, as far as this process knows."""
        return sum(segment.waiting for segment in list(self._segments))

    def open(self) -> None:
        """Take over what earlier processes left. Never raises: what cannot be read is said and left out."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            paths = sorted(self.folder.iterdir())
        except OSError as cause:
            logger.error("The prediction log has no folder of its own: %s", cause)
            return
        known = {segment.path for segment in self._segments}
        for path in paths:
            if path.suffix == ".half":
                self._remove_half(path)
            elif path.suffix == SUFFIX and path not in known:
                self._take_over(path)

    def _remove_half(self, path: Path) -> None:
        """Another predictor of this folder may be making it just now."""
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > 60:
                path.unlink()

    def _take_over(self, path: Path) -> None:
        try:
            found = segment_found(path, set(self.instances))
        except (OSError, SegmentUnreadable) as cause:
            self.set_aside(path, str(cause))
            return
        if found is not None:
            with self._lock:
                self._segments.append(found)
                self._full_bytes += found.size

    def set_aside(self, path: Path, reason: str) -> None:
        """Out of the way, for somebody to look at."""
        logger.error("%s of the prediction log is set aside, since %s", path.name, reason)
        with contextlib.suppress(OSError):
            path.rename(path.with_name(path.name + ASIDE))

    def append(self, rows: Sequence[LoggedPrediction]) -> None:
        """In the file when this returns: the process may be killed. Raises OSError, or ValueError for what no file can keep.

        While more than half the bound is taken, answers are kept without what was asked.
        """
        if 2 * self.bytes > self.most_bytes and any(row.asked is not None for row in rows):
            rows = [replace(row, asked=None) for row in rows]
        content = encoded(rows)
        with self._lock:
            if self._active is None or self._active.size >= self.segment_bytes:
                self._begin()
            assert self._active is not None
            self._active.append(content, len(rows))

    def _begin(self) -> None:
        try:
            new = segment_made(self.folder, self.instances[0], time.time_ns())
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            new = segment_made(self.folder, self.instances[0], time.time_ns())
        self._seal()
        self._active = new
        self._segments.append(new)

    def _seal(self) -> None:
        if self._active is not None:
            self._unsynced.append(self._active.fd)
            self._full_bytes += self._active.size
            self._active.fd, self._active.active = -1, False
            self._active = None

    def sync(self) -> None:
        """Onto the disk, for the case that the machine loses its current. Raises OSError."""
        with self._lock:
            due, self._unsynced = self._unsynced, []
            if self._active is not None:
                due.append(os.dup(self._active.fd))
        try:
            for fd in due:
                (getattr(os, "fdatasync", None) or os.fsync)(fd)
        finally:
            for fd in due:
                os.close(fd)

    def give_up(self, segment: Segment, reason: str) -> int:
        """What is left of a segment cannot be read; how many answers that were, as far as they can be counted."""
        with self._lock:
            if segment is self._active:
                self._seal()
        self.set_aside(segment.path, reason)
        self.remove(segment)
        return segment.waiting

    def oldest_first(self) -> list[Segment]:
        with self._lock:
            return sorted(self._segments, key=lambda segment: segment.path.name)

    def reading(self, segment: Segment | None) -> None:
        """Whoever reads it says so: it is not removed meanwhile."""
        self._reading = segment

    def remove(self, segment: Segment) -> None:
        """It is in the database, or given up."""
        with self._lock:
            if segment.active or segment not in self._segments:
                return
            self._segments.remove(segment)
            self._full_bytes -= segment.size
        segment.path.unlink(missing_ok=True)
        segment.close()

    def trim(self) -> int:
        """The oldest segments go until the rest is within the bound; how many answers were lost by it."""
        lost = 0
        for segment in self.oldest_first():
            if self.bytes <= self.most_bytes:
                break
            if segment.active or segment is self._reading:
                continue
            lost += segment.waiting
            with contextlib.suppress(OSError):
                self.remove(segment)
        return lost

    def close(self) -> None:
        """Nothing is appended any more; what is empty goes."""
        with self._lock:
            self._seal()
        with contextlib.suppress(OSError):
            self.sync()
        for segment in self.oldest_first():
            if not segment.waiting:
                self.remove(segment)
            segment.close()

"""Keep what was answered: in a file before the answer goes out, from there into the database by one thread.

A killed process loses nothing, and a database that is away nobody an answer. A machine that loses its current loses what was
answered within the last SYNC_EVERY_S.
"""

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone

from apps.monitoring.feedback.settings import LogKept, logs_kept
from apps.monitoring.log.services import LoggedPrediction, LogWritten, SpoolMoved, SpoolPart, predictions_record
from apps.rules.log_sample import LogShares
from apps.rules.rollouts.arms import is_canary
from fastloop_console.machine import env
from fastloop_console.machine.instance import instance_id
from workers.predictor.metrics import LOST, SPOOL, WAITING
from workers.predictor.spool.folder import Spool
from workers.predictor.spool.records import RecordUnreadable, decoded
from workers.predictor.spool.segments import PartEnd, Segment, SegmentPart

logger = logging.getLogger(__name__)
FLUSH_EVERY_S = 0.5
BATCH = 5_000  # rows a transaction
SYNC_EVERY_S = 1.0
LOOK_AGAIN_S = 60.0  # for files that another process of this folder left
KEPT_EVERY_S = 5.0
_ALL = LogKept()
SAID_EVERY_S = 10.0


def spool_at(folder: Path) -> Spool:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return Spool(folder, [settings.INSTANCE_ID, *map(instance_id, keys)], env.predictor_log_mb() * 1_000_000)


class PredictionLog:
    """`folder` is this predictor's own; it is made with the first answer."""

    def __init__(self, folder: Path) -> None:
        self.spool = spool_at(folder)
        self._kept: Mapping[int, LogKept] = {}  # of each project that chose
        self._kept_at = self._opened_at = self._said_at = float("-inf")
        self._lost = 0  # that were not said yet
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("prediction-log", self._run), ("prediction-log-disk", self._look_after))
        ]

    def start(self) -> None:
        """What an earlier process left is written first."""
        for thread in self._threads:
            thread.start()

    def add(self, rows: list[LoggedPrediction]) -> None:
        """In the file when this returns. Never raises: whoever asked gets the answer, and what is not logged is counted."""
        try:
            self.spool.append(rows)
        except Exception as cause:  # the disk is full or gone, or a row is none
            self._lose(len(rows), f"the predictor's own disk did not take them ({cause})")

    def keeps(self, project_id: int, inference_id: str) -> bool:
        """Whether what this request asks about is kept, as its project wants it. The same request is kept or not everywhere."""
        share = self._kept.get(project_id, _ALL).asked
        return share > 0 and is_canary(inference_id, salt="asked", weight=100 * share)

    def shares(self, project_id: int) -> LogShares:
        """Of which of its answers a row is kept."""
        return self._kept.get(project_id, _ALL).shares

    def _lose(self, count: int, reason: str) -> None:
        """Counted in `/metrics` at once; a line of log now and then, with how many since the last."""
        LOST.inc(count)
        self._lost += count
        if self._lost and time.monotonic() - self._said_at >= SAID_EVERY_S:
            logger.error("%d answers are not logged, since %s", self._lost, reason)
            self._lost, self._said_at = 0, time.monotonic()

    def close(self) -> None:
        """Write what is left; called once the server has stopped answering. What the database does not take now stays."""
        self._done.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=10)
        if self._lost:
            logger.error("%d more answers are not logged", self._lost)
        self.spool.close()

    def _run(self) -> None:
        while True:
            ended = self._done.wait(FLUSH_EVERY_S)
            try:
                self._drain()
                if not ended:
                    self._look()
            except Exception:  # of our own making; the thread is the only one that writes
                logger.exception("The prediction log could not be written")
            finally:
                close_old_connections()
            if ended:
                return

    def _look_after(self) -> None:
        """Beside the writer, who may wait for the database: what is in files is put on the disk and kept within its bound."""
        while not self._done.wait(SYNC_EVERY_S):
            try:
                self.spool.sync()
            except OSError as cause:
                logger.warning("The prediction log is not on the disk yet: %s", cause)
            if lost := self.spool.trim():
                self._lose(lost, "its files reached PREDICTOR_LOG_MB while the database was away")
            SPOOL.set(self.spool.bytes)
            WAITING.set(self.spool.waiting)

    def _look(self) -> None:
        """What the projects want kept; while the database is away that is as it was."""
        if time.monotonic() - self._kept_at < KEPT_EVERY_S:
            return
        self._kept_at = time.monotonic()
        try:
            self._kept = logs_kept()
        except (OperationalError, InterfaceError) as cause:
            logger.warning("What the log keeps could not be looked up: %s", cause)

    def _drain(self) -> None:
        """Segment by segment, the oldest first."""
        if time.monotonic() - self._opened_at >= LOOK_AGAIN_S:
            self._opened_at = time.monotonic()
            self.spool.open()
        for segment in self.spool.oldest_first():
            self.spool.reading(segment)
            try:
                self._drain_segment(segment)
            except (OperationalError, InterfaceError) as cause:
                logger.warning("%d answers wait to be logged: %s", self.spool.waiting, cause)
                return
            except FileNotFoundError:  # another process of this folder wrote it
                self.spool.remove(segment)
            except OSError as cause:
                logger.warning("%s of the prediction log cannot be read: %s", segment.path.name, cause)
            finally:
                self.spool.reading(None)

    def _drain_segment(self, segment: Segment) -> None:
        active = segment.active  # before it is read: what comes while it is read is the next turn's
        ended = PartEnd.MORE
        while ended is PartEnd.MORE:
            part = segment.read(BATCH)
            ended = part.ended
            if part.records and not self._written(segment, part):
                ended = PartEnd.MORE
        if ended is PartEnd.DAMAGED:
            lost = self.spool.give_up(segment, f"what stands at byte {part.end} is not what was written there")
            self._lose(lost, "a file of the log was damaged")
            return
        if ended is PartEnd.TORN:
            logger.warning("The last record of %s is not whole and is left out", segment.path.name)
        if not active:
            self.spool.remove(segment)

    def _written(self, segment: Segment, part: SegmentPart) -> bool:
        """False where the database is at another place of the segment, which is read from there."""
        rows = list[LoggedPrediction]()
        for record in part.records:
            try:
                rows += decoded(record)
            except RecordUnreadable as cause:
                self._lose(1, f"a record cannot be read ({cause})")
        read = SpoolPart(segment.id, segment.done, part.end)
        try:
            written = predictions_record(rows=rows, part=read, at=timezone.now())
        except SpoolMoved as moved:
            segment.moved_to(moved.end)
            return False
        segment.done, segment.rows_done = part.end, segment.rows_done + len(rows)
        self._say(written)
        return True

    def _say(self, written: LogWritten) -> None:
        for row, reason in written.refused:
            logger.warning("One answer is not logged, since it cannot be kept: %r (%s)", row, reason)
        if written.homeless:
            logger.warning("%d answers are not logged, since their project is deleted", written.homeless)

"""Keep what was answered, off the request's path: a queue in memory, written in batches by one thread.

While the database is away the newest answers are kept, up to a bound; a monitor can miss rows, a request cannot wait.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from django.db import InterfaceError, OperationalError, close_old_connections

from apps.monitoring.feedback.settings import payload_shares
from apps.monitoring.services import LoggedPrediction, predictions_record
from apps.rules.rollouts.arms import is_canary
from workers.predictor.metrics import LOST

logger = logging.getLogger(__name__)
FLUSH_EVERY_S = 0.5
BATCH = 2000
MOST_KEPT = 100_000  # about 30 MB; half an hour at 50 answers a second
MOST_ASKED = 64_000_000  # bytes of what was asked that wait to be written; beyond it answers are logged without
SHARES_EVERY_S = 5.0


class _NotNow(Exception):
    """The database is away; `rows` are those that are not written."""

    def __init__(self, rows: list[LoggedPrediction]) -> None:
        super().__init__()
        self.rows = rows


def _written(rows: list[LoggedPrediction]) -> None:
    """All that can be kept. A batch that is refused is halved until the culprit stands alone, which is dropped with a line.

    Raises _NotNow with what is left where the database is away: that is nobody's fault, and waiting helps.
    """
    try:
        predictions_record(rows=rows)
    except (OperationalError, InterfaceError) as cause:
        raise _NotNow(rows) from cause
    except Exception as cause:  # of the rows: the same again would fail again
        if len(rows) == 1:
            logger.warning("One answer is not logged, since it cannot be kept: %r (%s)", rows[0], cause)
            return
        half = len(rows) // 2
        try:
            _written(rows[:half])
        except _NotNow as delay:
            raise _NotNow([*delay.rows, *rows[half:]]) from delay.__cause__
        _written(rows[half:])


class PredictionLog:
    def __init__(self) -> None:
        self._waiting: deque[LoggedPrediction] = deque(maxlen=MOST_KEPT)
        self._shares: Mapping[int, float] = {}  # of each project's requests, for how many what was asked is kept
        self._shares_at = float("-inf")
        self._asked = 0  # bytes of what was asked that wait
        self._lost = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, rows: list[LoggedPrediction]) -> None:
        size = _asked_bytes(rows)
        if size and self._asked + size > MOST_ASKED:
            rows, size = [replace(row, asked=None) for row in rows], 0
        self._asked += size
        self._lose(len(self._waiting) + len(rows) - MOST_KEPT)
        self._waiting.extend(rows)

    def keeps(self, project_id: int, inference_id: str) -> bool:
        """Whether what this request asks about is kept, as its project wants it. The same request is kept or not everywhere."""
        share = self._shares.get(project_id, 0.0)
        return share > 0 and is_canary(inference_id, salt="asked", weight=100 * share)

    def _lose(self, count: int) -> None:
        """The oldest go where no room is left; how many is said when the database is back, and in `/metrics`."""
        if count > 0:
            self._lost += count
            LOST.inc(count)

    def close(self) -> None:
        """Write what is left; called once the server has stopped answering."""
        self._done.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._done.wait(FLUSH_EVERY_S):
            self._flush()
            self._look()
        self._flush()

    def _look(self) -> None:
        """What the projects want kept; while the database is away that is as it was."""
        if time.monotonic() - self._shares_at < SHARES_EVERY_S:
            return
        self._shares_at = time.monotonic()
        try:
            self._shares = payload_shares()
        except (OperationalError, InterfaceError) as cause:
            logger.warning("What the log keeps could not be looked up: %s", cause)
        finally:
            close_old_connections()

    def _flush(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._asked = max(self._asked - _asked_bytes(batch), 0) if self._waiting else 0
            try:
                _written(batch)
            except _NotNow as delay:
                logger.warning("%d answers wait to be logged: %s", len(delay.rows), delay.__cause__)
                self._put_back(delay.rows)
                return
            finally:
                close_old_connections()
            if self._lost:
                logger.error("%d answers are not logged: no room was left while the database was away", self._lost)
                self._lost = 0

    def _put_back(self, batch: list[LoggedPrediction]) -> None:
        room = MOST_KEPT - len(self._waiting)
        self._lose(len(batch) - room)
        kept = batch[-room:] if room else []
        self._asked += _asked_bytes(kept)
        self._waiting.extendleft(reversed(kept))


def _asked_bytes(rows: list[LoggedPrediction]) -> int:
    return sum(row.asked.size for row in rows if row.asked is not None)

"""Keep what was answered, off the request's path: a queue in memory, written in batches by one thread.

While the database is away the newest answers are kept, up to a bound; a monitor can miss rows, a request cannot wait.
"""

import logging
import threading
from collections import deque
from typing import Any

from django.db import close_old_connections

from apps.monitoring.services import LoggedPrediction, predictions_record

logger = logging.getLogger(__name__)
FLUSH_EVERY_S = 0.5
BATCH = 2000
MOST_KEPT = 100_000  # about 30 MB; half an hour at 50 answers a second


class PredictionLog:
    def __init__(self) -> None:
        self._waiting: deque[LoggedPrediction] = deque(maxlen=MOST_KEPT)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, rows: list[LoggedPrediction]) -> None:
        self._waiting.extend(rows)

    def close(self) -> None:
        """Write what is left; called once the server has stopped answering."""
        self._done.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._done.wait(FLUSH_EVERY_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                predictions_record(rows=batch)
            except Exception as cause:  # whatever it was, the next flush tries again
                logger.warning("%d answers wait to be logged: %s", len(batch), cause)
                self._put_back(batch)
                return
            finally:
                close_old_connections()

    def _put_back(self, batch: list[Any]) -> None:
        room = MOST_KEPT - len(self._waiting)
        self._waiting.extendleft(reversed(batch[-room:] if room else []))

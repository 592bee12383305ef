"""Keeps what a worker owns, while it works on it."""

import logging
import threading
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import close_old_connections

logger = logging.getLogger(__name__)


class Heartbeat:
    """Renews a lease from a thread of its own, so that a long step cannot lose it.

    `renew` says whether somebody asked to cancel, and raises `lost_by` once another worker has the lease.
    """

    def __init__(
        self,
        name: str,
        owner: uuid.UUID | None,
        renew: Callable[[uuid.UUID], bool],
        *,
        lost_by: type[Exception],
        every_s: float,
    ) -> None:
        assert owner is not None  # what was claimed has one
        self.owner, self.canceled, self.lost = owner, threading.Event(), threading.Event()
        self._name, self._renew, self._lost_by, self._every_s = name, renew, lost_by, every_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat of {name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join(timeout=10)

    def should_stop(self) -> bool:
        return self.canceled.is_set() or self.lost.is_set()

    def _beat(self) -> None:
        while not self._done.wait(self._every_s):
            try:
                if self._renew(self.owner):
                    self.canceled.set()
            except self._lost_by:
                self.lost.set()
                return
            except Exception:  # the database may be restarting; the lease outlives four beats
                logger.exception("A heartbeat of %s failed.", self._name)
            finally:
                close_old_connections()

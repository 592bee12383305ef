"""Tell open pages to look again. Never carries content: the page fetches the fragment, which checks permission itself.

One thread a process sends, so that no request waits for Redis. What is said twice within a moment is sent once: fifty
people labeling make twenty messages a second, not fifty times as many.
"""

import asyncio
import atexit
import logging
import threading
import time
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

from apps.live.topics import News

logger = logging.getLogger(__name__)
GATHER_S = 0.05  # the eye cannot tell; a burst becomes one message
GIVE_UP_S = 2.0  # for one message: Redis being away costs freshness only

PERSON = "person"  # one topic each, which every socket of theirs joins beside its own

Message = tuple[str, News, int | None]


def look_again(topic: str, what: News, subject_id: int | None = None) -> None:
    """Send after commit."""
    transaction.on_commit(lambda: send_now(topic, what, subject_id))


def rights_changed(person_id: int) -> None:
    """After commit, the person's sockets look again whether they may listen: rights, password or session changed."""
    transaction.on_commit(lambda: send_now(f"{PERSON}.{person_id}", News.RIGHTS))


def send_now(topic: str, what: News, subject_id: int | None = None) -> None:
    """Hand over to the sending thread; returns at once and never raises."""
    _publisher.put((topic, what, subject_id))


class Publisher:
    """A set of messages to send, and the thread that sends them. The thread starts with the first message."""

    def __init__(self) -> None:
        self._waiting: dict[Message, None] = {}
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._idle = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, message: Message) -> None:
        with self._lock:
            self._waiting[message] = None
            self._idle.clear()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="live-publisher", daemon=True)
                self._thread.start()
        self._news.set()

    def flush(self, timeout_s: float = GIVE_UP_S) -> bool:
        """Wait until everything handed over was sent or given up."""
        return self._thread is None or self._idle.wait(timeout_s)

    def _run(self) -> None:
        with asyncio.Runner() as runner:  # one event loop for the thread's life, so that connections are kept
            while True:
                self._news.wait()
                self._news.clear()
                time.sleep(GATHER_S)
                with self._lock:
                    messages, self._waiting = list(self._waiting), {}
                runner.run(self._send_all(messages))
                with self._lock:
                    if not self._waiting:
                        self._idle.set()

    async def _send_all(self, messages: list[Message]) -> None:
        for message in messages:
            await self._send(message)

    async def _send(self, message: Message) -> None:
        topic, what, subject_id = message
        kind = "rights.changed" if what == News.RIGHTS else "look.again"
        content: dict[str, Any] = {"type": kind, "what": str(what), "id": subject_id}
        try:
            layer = get_channel_layer()
            await asyncio.wait_for(layer.group_send(topic, content), GIVE_UP_S)
        except Exception as cause:  # redis raises many kinds; none of them may end this thread
            logger.warning("Open pages were not told about %s: %s", topic, cause or type(cause).__name__)


_publisher = Publisher()
atexit.register(_publisher.flush, 1.0)

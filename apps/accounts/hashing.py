"""Passwords are hashed aside: by a thread or two of their own, in a short line, so that guessers stop nobody.

A hash takes a third of a second of a core by intent. A request that waits for one gives its place among those at work
back, and where too many wait the next is refused in words.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.translation import gettext

from apps.errors import TooMany
from fastloop_console.machine.one_thread import step_aside

T = TypeVar("T")
AT_ONCE = max(1, (os.cpu_count() or 1) // 4)
WAITING = 8
LOWER_PRIORITY = 10  # of 19: pages first


class HashingLine:
    """A pool with a line of limited length."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="hashing", initializer=_yield_to_pages)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    def done(self, work: Callable[..., T], *arguments: Any) -> T:
        """Raises TooMany where the line is full."""
        if not self._places.acquire(blocking=False):
            raise TooMany(gettext("Many people are signing in right now. Try again in a few seconds."), retry_after_s=5)
        try:
            step_aside()
            return self._pool.submit(work, *arguments).result()
        finally:
            self._places.release()


def _yield_to_pages() -> None:
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWER_PRIORITY)


_line = HashingLine()


class AsidePBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's default: the same hashes, made elsewhere."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        return _line.done(super().encode, password, salt, iterations)

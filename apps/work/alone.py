"""A part of a periodic job that fails alone: the parts and projects after it have their turn."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

logger = logging.getLogger(__name__)


@contextmanager
def alone(part: str, of: object = "") -> Iterator[None]:
    """Log what the part raises, with whose it is, and go on. Not within a transaction: that would be broken by then."""
    try:
        yield
    except Exception:
        logger.exception("A part of a periodic job failed alone: %s%s.", part, f" of {of}" if of != "" else "")
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()

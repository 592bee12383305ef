"""Which windows of a monitor have ended and are not judged yet. They lie end to end from 1970 on, so that nobody moves them, or
overlap where a monitor slides: one ends with each of its steps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_BEHIND = 3  # of the newest windows that are judged after a time without checks; older ones are history


def window_end(at: datetime, length: timedelta) -> datetime:
    """The newest moment at which a window has ended."""
    return at - (at - EPOCH) % length


def windows_due(
    *, at: datetime, length: timedelta, judged_until: datetime | None, begins: datetime, step: timedelta | None = None
) -> Iterator[tuple[datetime, datetime]]:
    """(since, until], oldest first: those that ended by `at`, after the last one judged, and not before `begins`."""
    every = step or length
    newest = window_end(at, every)
    for back in reversed(range(MOST_BEHIND)):
        until = newest - back * every
        if until > begins and (judged_until is None or until > judged_until):
            yield until - length, until


def next_window_end(at: datetime, length: timedelta) -> datetime:
    return window_end(at, length) + length

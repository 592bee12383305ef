"""When a message that was not taken is sent again: as Standard Webhooks recommends, three days in all."""

from datetime import timedelta
from random import Random

_PAUSES = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_ATTEMPTS = len(_PAUSES)
SPREAD = 0.1  # of a pause, by chance, so that all that waited for one target do not come at once


def pause_before(attempt: int, chance: Random) -> timedelta | None:
    """Before the attempt of this number, from 0; None where all were made.

    >>> pause_before(0, Random(1)), pause_before(10, Random(1))
    (datetime.timedelta(0), None)
    """
    if attempt >= MOST_ATTEMPTS:
        return None
    return _PAUSES[attempt] * (1 + SPREAD * chance.random())

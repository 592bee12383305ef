"""Names of the locks that are held until a transaction ends. One list, so that two of them never share a number.

Where several are taken, in the order of this list; rows are locked after them.
"""

from collections.abc import Iterable
from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """Each is one lock for every key. The number seeds the hash of the key."""

    AUDIT = 7  # a chain of events, by scope
    FRONTIER = 11  # the slots of a project's queue
    SHARDS = 12  # the numbering of an encoder's shards
    CONTENT = 13  # labels of examples that show the same, by digest
    EXAMPLES = 14  # who came first of two that show the same
    SCORING = 15  # the orderings of a project's pool
    FEEDBACK = 16  # what comes back for a project's answers: the same piece twice at one moment is once
    PARTITIONS = 17  # the days of a partitioned table


def lock(name: Lock, key: object, *, wait: bool = True) -> bool:
    """Hold the lock until the transaction ends. False, at once, where `wait` is off and somebody else has it."""
    take = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {take}(hashtextextended(%s, %s))", [str(key), name])
        (got,) = cursor.fetchone() or (None,)
    return wait or bool(got)


def lock_each(name: Lock, keys: Iterable[object]) -> None:
    """Several of a name, in one order for everybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(x, %s)) FROM unnest(%s::text[]) x",
            [name, sorted({str(key) for key in keys})],
        )

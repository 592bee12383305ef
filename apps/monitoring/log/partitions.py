"""The log's tables, a partition a day (of UTC): made ahead and when a row comes for one, dropped as a whole.

Rows of clocks gone wrong, and of a day that could not be made, lie in the default partition, and move once their day is made.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import OperationalError, connection, transaction

from apps.monitoring.models import AskedPayload, Prediction
from apps.work.locks import Lock, lock

logger = logging.getLogger(__name__)
TABLES = (Prediction._meta.db_table, AskedPayload._meta.db_table)
AHEAD = 3  # days
OLDEST = 400  # days: what is older comes from a wrong clock, and makes no partitions
EMPTY_AFTER = timedelta(days=2)  # a day that nobody's rows are left of goes
WAIT = "2s"  # for whoever reads; others wait behind us meanwhile, so it is tried again later instead

_MISSING = """
SELECT d FROM unnest(%(days)s::date[]) d
WHERE to_regclass(%(table)s || '_' || to_char(d, 'YYYYMMDD')) IS NULL
  AND d BETWEEN (now() AT TIME ZONE 'UTC')::date - %(oldest)s AND (now() AT TIME ZONE 'UTC')::date + %(ahead)s
ORDER BY d
"""
_MAKE = """
LOCK TABLE ONLY {table}_default IN ACCESS EXCLUSIVE MODE;
CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
WITH moved AS (DELETE FROM ONLY {table}_default WHERE at >= '{begin}' AND at < '{end}' RETURNING *)
INSERT INTO {name} SELECT * FROM moved;
ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{begin}') TO ('{end}');
"""
_HAVE = r"""
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass AND c.relname ~ '_\d{8}$' ORDER BY 1
"""


def partitions_ensure(*, table: str, moments: Iterable[datetime]) -> None:
    """A partition for each day of these. Where one cannot be made just now, its rows go to the default one."""
    days = sorted({moment.astimezone(UTC).date() for moment in moments})
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, {"days": days, "table": table, "oldest": OLDEST, "ahead": AHEAD})
        missing = [day for (day,) in cursor.fetchall()]
    for day in missing:
        try:
            _make(table, day)
        except OperationalError as cause:
            logger.warning("No partition of %s for %s yet: %s", table, day, cause)


def partitions_ahead(*, at: datetime) -> None:
    """Today's and those of the next days, so that no writer has to make one."""
    for table in TABLES:
        partitions_ensure(table=table, moments=[at + timedelta(days=n) for n in range(AHEAD + 1)])


@transaction.atomic
def _make(table: str, day: date) -> None:
    lock(Lock.PARTITIONS, table)
    name = f"{table}_{day:%Y%m%d}"
    with connection.cursor() as cursor, _short_waits():
        cursor.execute("SELECT to_regclass(%s) IS NULL", [name])
        if cursor.fetchone() == (True,):
            begin, end = f"{day} 00:00:00+00", f"{day + timedelta(days=1)} 00:00:00+00"
            cursor.execute(_MAKE.format(name=name, table=table, begin=begin, end=end))


class _short_waits:
    """For other people's locks, within a transaction."""

    def __enter__(self) -> None:
        _execute(f"SET LOCAL lock_timeout = '{WAIT}'")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            _execute("SET LOCAL lock_timeout TO DEFAULT")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def days_kept(table: str) -> list[date]:
    """Days that have a partition, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_HAVE, [table])
        return [datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date() for (name,) in cursor.fetchall()]


def partitions_drop(*, table: str, before: datetime | None, at: datetime) -> list[date]:
    """Whole days that end at `before` or earlier, and older ones that are empty; which days went."""
    gone = list[date]()
    for day in days_kept(table):
        ends = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1)
        over = before is not None and ends <= before
        if over or (ends < at - EMPTY_AFTER and _is_empty(table, day)):
            try:
                _drop(table, day, even_full=over)
            except OperationalError as cause:
                logger.warning("The partition of %s for %s goes later: %s", table, day, cause)
                break
            gone.append(day)
    return gone


def _is_empty(table: str, day: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {table}_{day:%Y%m%d})")
        return bool(cursor.fetchone() == (True,))


@transaction.atomic
def _drop(table: str, day: date, *, even_full: bool) -> None:
    lock(Lock.PARTITIONS, table)
    name = f"{table}_{day:%Y%m%d}"
    with _short_waits():
        _execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
        if even_full or _is_empty(table, day):
            _execute(f"DROP TABLE {name}")

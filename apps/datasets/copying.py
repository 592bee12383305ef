"""Rows by the thousand: PostgreSQL's COPY with ids taken beforehand. An INSERT through the ORM costs five times as much."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def ids_reserved(model: type[models.Model], count: int) -> list[int]:
    """Primary keys that nobody else will get, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [model._meta.db_table, model._meta.pk.column, count],
        )
        return [int(row[0]) for row in cursor.fetchall()]


def rows_copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Store rows as they are. Unlike INSERT this knows no conflicts: whoever calls has locked out the others."""
    named = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({named}) FROM STDIN") as copied:
        for row in rows:
            copied.write_row(row)

"""Statements that run at every answer: planned once a connection, and read without building a query."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

Params = Sequence[Any] | Mapping[str, Any]


def rows(sql: str, params: Params) -> list[tuple[Any, ...]]:
    """Run on Django's own connection, within its transaction; its errors come as Django's."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, params, prepare=True)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []

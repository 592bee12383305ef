"""Statements that run at every answer: planned once a connection, and read without building a query."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import AutoField, Field, Model

Params = Sequence[Any] | Mapping[str, Any]
M = TypeVar("M", bound=Model)


def rows(sql: str, params: Params) -> list[tuple[Any, ...]]:
    """Run on Django's own connection, within its transaction; its errors come as Django's. JSON comes as objects."""
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with database.wrap_database_errors, psycopg.Cursor(database.connection) as cursor:
        cursor.execute(sql, params, prepare=True, binary=True)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


def insert(row: M, *, beside: str = "", more: Sequence[Any] = ()) -> M:
    """Store a new row and give it its key. Raises IntegrityError where a constraint stands.

    `beside` are further writes as common table expressions, with their parameters in `more`: one way to the server less.
    """
    sql, fields = _insert_of(type(row))
    database = connections[DEFAULT_DB_ALIAS]
    values = [field.get_db_prep_save(getattr(row, field.attname), database) for field in fields]
    ((row.pk,),) = rows(f"WITH {beside} {sql}" if beside else sql, [*more, *values])
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return row


@cache
def _insert_of(model: type[Model]) -> tuple[str, list["Field[Any, Any]"]]:
    """The statement, and the fields whose values it takes in order."""
    fields = [f for f in model._meta.concrete_fields if not isinstance(f, AutoField)]
    columns, marks = ", ".join(f'"{f.column}"' for f in fields), ", ".join(["%s"] * len(fields))
    key = model._meta.pk
    assert key is not None
    return f'INSERT INTO {model._meta.db_table} ({columns}) VALUES ({marks}) RETURNING "{key.column}"', fields

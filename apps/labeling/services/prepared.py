"""The few statements that run at every answer: planned once a connection, and read without building a query.

PostgreSQL spends more on planning these than on running them, and the ORM more on writing them than on both.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import psycopg
from django.db import connection

from apps.labeling.models import Assignment

Params = Sequence[Any] | Mapping[str, Any]


def rows(sql: str, params: Params) -> list[tuple[Any, ...]]:
    """Run on Django's own connection, within its transaction; its errors come as Django's."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, params, prepare=True)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


_FIELDS = [f.attname for f in Assignment._meta.concrete_fields]
_JSON = [i for i, f in enumerate(Assignment._meta.concrete_fields) if f.get_internal_type() == "JSONField"]
COLUMNS = ", ".join(f'a."{f.column}"' for f in Assignment._meta.concrete_fields)


def assignments_read(where: str, params: Params) -> list[Assignment]:
    """Rows of `SELECT {COLUMNS} FROM labeling_assignment a {where}`."""
    return [_assignment(row) for row in rows(f"SELECT {COLUMNS} FROM labeling_assignment a {where}", params)]


def _assignment(row: Sequence[Any]) -> Assignment:
    values = list(row)
    for i in _JSON:
        values[i] = orjson.loads(values[i]) if values[i] is not None else None
    return Assignment.from_db("default", _FIELDS, values)


_NEW = [f for f in Assignment._meta.concrete_fields if not f.primary_key]
_INSERT = (
    f"INSERT INTO labeling_assignment ({', '.join(str(f.column) for f in _NEW)}) "
    f"VALUES ({', '.join('%s::jsonb' if f.get_internal_type() == 'JSONField' else '%s' for f in _NEW)}) RETURNING id"
)


def assignment_insert(assignment: Assignment) -> Assignment:
    """Store a new one and give it its key. Raises IntegrityError where a constraint stands."""
    values = [getattr(assignment, f.attname) for f in _NEW]
    kept = [
        orjson.dumps(v).decode() if f.get_internal_type() == "JSONField" and v is not None else v
        for f, v in zip(_NEW, values, strict=True)
    ]
    ((assignment.pk,),) = rows(_INSERT, kept)
    assignment._state.adding, assignment._state.db = False, "default"
    return assignment

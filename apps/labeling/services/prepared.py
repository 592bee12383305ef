"""Rows of the desk's hot path through prepared statements: PostgreSQL spends more on planning these than on running them."""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import orjson
from django.db.models import AutoField, Model

from apps.labeling.models import Assignment
from apps.statements import Params, rows

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


M = TypeVar("M", bound=Model)


def insert(row: M, *, beside: str = "", more: Sequence[Any] = ()) -> M:
    """Store a new row and give it its key. Raises IntegrityError where a constraint stands.

    `beside` are further writes as common table expressions, with their parameters in `more`: one way to the server less.
    """
    sql, names, jsons = _insert_of(type(row))
    values = [getattr(row, name) for name in names]
    for i in jsons:
        values[i] = orjson.dumps(values[i]).decode() if values[i] is not None else None
    ((row.pk,),) = rows(f"WITH {beside} {sql}" if beside else sql, [*more, *values])
    row._state.adding, row._state.db = False, "default"
    return row


@cache
def _insert_of(model: type[Model]) -> tuple[str, list[str], list[int]]:
    """The statement, the attributes it takes in order, and which of them are JSON."""
    fields = [f for f in model._meta.concrete_fields if not isinstance(f, AutoField)]
    jsons = [i for i, f in enumerate(fields) if f.get_internal_type() == "JSONField"]
    columns = ", ".join(f'"{f.column}"' for f in fields)
    marks = ", ".join("%s::jsonb" if i in jsons else "%s" for i in range(len(fields)))
    key = model._meta.pk
    assert key is not None
    sql = f'INSERT INTO {model._meta.db_table} ({columns}) VALUES ({marks}) RETURNING "{key.column}"'
    return sql, [f.attname for f in fields], jsons

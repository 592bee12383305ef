"""Ids by the million as one array: a list of Python integers would cost ten times the memory and the time."""

from collections.abc import Mapping

import numpy as np
from django.db import connection
from numpy.typing import NDArray

_HEADER, _TRAILER = 19, 2  # bytes around the rows of PostgreSQL's binary COPY format
_ROW = np.dtype([("columns", ">i2"), ("length", ">i4"), ("value", ">i8")])


def ids_selected(query: str, values: Mapping[str, object]) -> NDArray[np.int64]:
    """The one bigint column of a query, as it comes: (n,). Values are bound as %(name)s."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)", dict(values)) as copied,
    ):
        content = b"".join(copied)
    rows = np.frombuffer(content, _ROW, count=(len(content) - _HEADER - _TRAILER) // _ROW.itemsize, offset=_HEADER)
    return rows["value"].astype(np.int64)


def ids_erased(project_id: int) -> NDArray[np.int64]:
    """Numbers of the project's deleted examples, ascending: (n,)."""
    table = "SELECT number FROM datasets_exampletombstone WHERE project_id = %(project)s ORDER BY number"
    return ids_selected(table, {"project": project_id})


def among(ids: NDArray[np.int64], ascending: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of these ids stand in an ascending array: (n,) -> (n,)."""
    if not len(ascending) or not len(ids):
        return np.zeros(len(ids), bool)
    places = np.searchsorted(ascending, ids)
    return np.asarray(ascending[np.minimum(places, len(ascending) - 1)] == ids)

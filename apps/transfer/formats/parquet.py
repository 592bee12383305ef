"""Typed columns, compressed; one row a fact."""

import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext_lazy as _

from apps.datasets import readers
from apps.transfer.exporting import Export
from apps.transfer.formats.columns import GRAINS, Cells, cells_of, features_of, names_of
from apps.transfer.formats.format import FileFormat
from apps.transfer.rows import COLUMNS

GROUP = 2000  # rows of a Parquet row group


def _write(export: Export) -> Iterator[bytes]:
    schema = pa.schema([(n, _type(n, export)) for n in names_of(export)])
    sink, rows = _Sink(), cells_of(export)
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        while chunk := list(islice(rows, 100 if export.images else GROUP)):
            columns = [_column(field, chunk) for field in schema]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _column(field: Any, chunk: Sequence[Cells]) -> Any:
    values = [cells.get(field.name) for cells in chunk]
    if field.type == pa.string() and field.name not in _ALWAYS_TEXT:
        values = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values]
    return pa.array(values, field.type)


_ALWAYS_TEXT = COLUMNS - {"answer.value", "answer.suggestion", "prediction.value"} | {"id", "text", "prompt", "a", "b"}
_TYPES = {
    "collected_at": pa.timestamp("us", "UTC"),
    "image": pa.binary(),
    "answer.flagged": pa.bool_(),
    "answer.surplus": pa.bool_(),
    "example.holdout": pa.bool_(),
    "answer.active_ms": pa.int64(),
    "answer.guidelines": pa.int64(),
    "answer.run": pa.int64(),
    "answer.suggestion_confidence": pa.float64(),
    "prediction.confidence": pa.float64(),
    "label.confidence": pa.float64(),
    **{
        f"{group}.{name}": pa.timestamp("us", "UTC")
        for group in ("answer", "label", "prediction")
        for name in ("at", "shown_at")
    },
}


def _type(name: str, export: Export) -> Any:
    types = features_of(export.project).get(name) if export.task.payload.has_features else None
    if types is None:
        return _TYPES.get(name, pa.string())
    if types and types <= {"number", "float"}:
        return pa.float64() if "float" in types else pa.int64()
    return pa.bool_() if types == {"boolean"} else pa.string()


class _Sink(io.RawIOBase):
    """A file that is read while it is written: pyarrow writes forwards only."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        content = bytes(part)
        self._parts.append(content)
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        parts, self._parts = b"".join(self._parts), []
        return parts


PARQUET = FileFormat(
    "parquet",
    _("Parquet"),
    (".parquet",),
    "application/vnd.apache.parquet",
    _("Typed columns, compressed: the smallest file."),
    GRAINS,
    lambda file, project: readers.parquet_rows(file),
    _write,
    mapped=True,
)

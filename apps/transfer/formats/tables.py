"""One row a fact: JSONL, CSV and Parquet with the same columns.

CSV: a spreadsheet runs a cell that begins with =, +, -, @, a tab or a carriage return, so text that begins so is written
behind an apostrophe, and text that begins with an apostrophe behind a second one. Files that we wrote, known by a dotted
column in the header, are read back without it; in other files an apostrophe is an apostrophe. Table rows keep the types
of their features: text that looks like a number is written in double quotes.
"""

import base64
import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from apps.datasets import readers
from apps.datasets.readers import Row
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import RESERVED
from apps.transfer.exporting import Export, Fact, Labeled, Shown, facts
from apps.transfer.formats.format import Format
from apps.transfer.rows import ANSWER, COLUMNS, LABEL, PREDICTION, Answered, compact

LINES_AT_ONCE = 500  # a chunk of the stream; a generator's step for each line would cost more than the line
GROUP = 2000  # rows of a Parquet row group
RISKY = ("=", "+", "-", "@", "\t", "\r", "'")
Cells = dict[str, Any]


def _shown(shown: Shown, kind: str) -> Cells:
    """The columns that an upload needs."""
    cells: Cells = {"id": shown.external_id}
    if kind == "tabular":
        cells |= shown.fields["features"]
    elif kind == "image":
        cells["image"] = shown.image
    elif kind == "pair":
        cells |= {name: shown.fields.get(name, "") for name in ("prompt", "a", "b")}
    else:
        cells["text"] = shown.fields.get("text")
    cells["collected_at"], cells["example.holdout"] = shown.collected_at, shown.holdout
    return cells


def _said(fact: Fact) -> Cells:
    if isinstance(fact, Answered):
        cells = {f"answer.{name}": getattr(fact, name) for name in ANSWER}
        cells["answer.value"], cells["answer.suggestion"] = compact(fact.value), compact(fact.suggestion)
        return cells
    if isinstance(fact, Labeled):
        rest = {f"label.{name}": getattr(fact, name) for name in LABEL}
        return {"label": compact(fact.value), **rest}
    return {f"prediction.{name}": getattr(fact, name) for name in PREDICTION} | {
        "prediction.value": compact(fact.value)
    }


def _cells(export: Export) -> Iterator[Cells]:
    kind = export.task.kind
    before: Shown | None = None
    for shown, fact in facts(export):
        if shown is not before:
            cells, before = _shown(shown, kind), shown
        yield {**cells, **_said(fact)}


def _names(export: Export) -> list[str]:
    """Every column, in order. A table's features are those of all its rows."""
    kind = export.task.kind
    payload = {"image": ["image"], "pair": ["prompt", "a", "b"], "text": ["text"]}.get(kind) or list(
        _features(export.project)
    )
    beside = {"annotations": [f"answer.{n}" for n in ANSWER], "predictions": [f"prediction.{n}" for n in PREDICTION]}
    said = beside.get(export.grain) or ["label", *(f"label.{n}" for n in LABEL)]
    return ["id", *payload, "collected_at", "example.holdout", *said]


def _features(project: Project) -> dict[str, set[str]]:
    """Feature to the JSON types it has, in order of their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.key, array_agg(DISTINCT CASE WHEN jsonb_typeof(f.value) = 'number' AND f.value::text !~ '^-?[0-9]{1,18}$'"
            " THEN 'float' ELSE jsonb_typeof(f.value) END)"
            " FROM datasets_example e, jsonb_each(e.fields->'features') f WHERE e.project_id = %s GROUP BY 1 ORDER BY 1",
            [project.pk],
        )
        return {name: set(types) - {"null"} for name, types in cursor.fetchall()}


# JSONL


def _write_jsonl(export: Export) -> Iterator[bytes]:
    lines = (orjson.dumps(_sparse(cells), option=orjson.OPT_APPEND_NEWLINE) for cells in _cells(export))
    while chunk := b"".join(islice(lines, 1 if export.content and export.task.kind == "image" else LINES_AT_ONCE)):
        yield chunk


def _sparse(cells: Cells) -> Cells:
    """Without what is not said; of a table's features everything stays, or the row would be another one."""
    kept = {n: v for n, v in cells.items() if n not in COLUMNS or (v is not None and v != "")}
    if "image" in kept and (kept["image"] is None or isinstance(kept["image"], bytes)):
        image = kept.pop("image")
        if image is not None:
            kept["image"] = base64.b64encode(image).decode()
    return kept


# CSV


def _write_csv(export: Export) -> Iterator[bytes]:
    names, tabular = _names(export), export.task.kind == "tabular"
    features = set(_features(export.project)) if tabular else set()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_safe(n) for n in names])
    rows = _cells(export)
    while True:
        chunk = list(islice(rows, 10 if export.task.kind == "image" else LINES_AT_ONCE))
        for cells in chunk:
            writer.writerow([_cell(cells.get(n), n in features) for n in names])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
        if not chunk:
            return


def _cell(value: Any, feature: bool) -> Any:
    if isinstance(value, str):
        return _safe(json.dumps(value, ensure_ascii=False) if feature and _looks_typed(value) else value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text


def _looks_typed(text: str) -> bool:
    """Whether reading it back would make something else of it."""
    try:
        json.loads(text)
    except ValueError:
        return text.startswith('"') or text != text.strip()
    return True


def _read_csv(file: BinaryIO, project: Project) -> Iterator[Row]:
    tabular = task_types.get(project.task_type).kind == "tabular"
    mend: Callable[[Row], Row] | None = None
    for row in readers.csv_rows(file):
        if mend is None and row.values is not None:
            ours = any(_bare(name) in COLUMNS for name in row.values)
            mend = (lambda r: _mended(r, tabular=tabular)) if ours else (lambda r: r)
        yield mend(row) if mend and row.values is not None else row


def _mended(row: Row, *, tabular: bool) -> Row:
    values = {_bare(n): _bare(v) if isinstance(v, str) else v for n, v in (row.values or {}).items()}
    if tabular:
        features = {n: _typed(v) for n, v in values.items() if n not in COLUMNS and n not in RESERVED}
        values |= features
    return replace(row, values=values)


def _bare(text: str) -> str:
    return text[1:] if text.startswith("'") else text


def _typed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


# Parquet


def _write_parquet(export: Export) -> Iterator[bytes]:
    schema = pa.schema([(n, _type(n, export)) for n in _names(export)])
    sink, rows = _Sink(), _cells(export)
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        while chunk := list(islice(rows, 100 if export.task.kind == "image" else GROUP)):
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
    types = _features(export.project).get(name) if export.task.kind == "tabular" else None
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


_GRAINS = ("annotations", "labels", "predictions")
JSONL = Format(
    "jsonl",
    "JSONL",
    (".jsonl", ".ndjson"),
    "application/x-ndjson",
    "One JSON object a line.",
    _GRAINS,
    lambda file, project: readers.jsonl_rows(file),
    _write_jsonl,
)
CSV = Format(
    "csv",
    "CSV",
    (".csv",),
    "text/csv; charset=utf-8",
    "One line a row; spans and boxes as JSON in a cell. Cells that a spreadsheet would run stand behind an apostrophe.",
    _GRAINS,
    _read_csv,
    _write_csv,
)
PARQUET = Format(
    "parquet",
    "Parquet",
    (".parquet",),
    "application/vnd.apache.parquet",
    "Typed columns, compressed: the smallest file.",
    _GRAINS,
    lambda file, project: readers.parquet_rows(file),
    _write_parquet,
)

"""One line a fact. A spreadsheet runs a cell that begins with =, +, -, @, a tab or a carriage return.

So text that begins so is written behind an apostrophe, and text that begins with an apostrophe behind a second one. Files
that we wrote, known by a dotted column in the header, are read back without it; in other files an apostrophe is an
apostrophe. Table rows keep the types of their features: text that looks like a number is written in double quotes.
"""

import base64
import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy as _

from apps.datasets import readers
from apps.datasets.readers import Row
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import RESERVED
from apps.rules.spreadsheets import RISKY
from apps.transfer.exporting import Export
from apps.transfer.formats.columns import GRAINS, LINES_AT_ONCE, cells_of, features_of, names_of
from apps.transfer.formats.format import FileFormat
from apps.transfer.rows import COLUMNS

MARKED = (*RISKY, "'")  # and what begins with the mark itself, so that reading back finds what was written


def _write(export: Export) -> Iterator[bytes]:
    names, has_features = names_of(export), export.task.payload.has_features
    features = set(features_of(export.project)) if has_features else set()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_safe(n) for n in names])
    rows = cells_of(export)
    while True:
        chunk = list(islice(rows, 10 if export.images else LINES_AT_ONCE))
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
    return f"'{text}" if text.startswith(MARKED) else text


def _looks_typed(text: str) -> bool:
    """Whether reading it back would make something else of it."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text.startswith('"') or text != text.strip()
    return True


def _read(file: BinaryIO, project: Project) -> Iterator[Row]:
    has_features = task_types.get(project.task_type).payload.has_features
    mend: Callable[[Row], Row] | None = None
    for row in readers.csv_rows(file):
        if mend is None and row.values is not None:
            ours = any(_bare(name) in COLUMNS for name in row.values)
            mend = (lambda r: _mended(r, has_features=has_features)) if ours else (lambda r: r)
        yield mend(row) if mend and row.values is not None else row


def _mended(row: Row, *, has_features: bool) -> Row:
    values = {_bare(n): _bare(v) if isinstance(v, str) else v for n, v in (row.values or {}).items()}
    if has_features:
        features = {n: _typed(v) for n, v in values.items() if n not in COLUMNS and n not in RESERVED}
        values |= features
    return replace(row, values=values)


def _bare(text: str) -> str:
    return text[1:] if text.startswith("'") else text


def _typed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


CSV = FileFormat(
    "csv",
    _("CSV"),
    (".csv", ".tsv"),
    "text/csv; charset=utf-8",
    _("One line a row; spans and boxes as JSON in a cell. Formulas are defused with an apostrophe."),
    GRAINS,
    _read,
    _write,
    mapped=True,
)

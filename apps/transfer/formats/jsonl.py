"""One JSON object a line, for one fact each."""

import base64
from collections.abc import Iterator
from itertools import islice

import orjson
from django.utils.translation import gettext_lazy as _

from apps.datasets import readers
from apps.transfer.exporting import Export
from apps.transfer.formats.columns import GRAINS, LINES_AT_ONCE, Cells, cells_of
from apps.transfer.formats.format import FileFormat
from apps.transfer.rows import COLUMNS


def _write(export: Export) -> Iterator[bytes]:
    lines = (orjson.dumps(_sparse(cells), option=orjson.OPT_APPEND_NEWLINE) for cells in cells_of(export))
    while chunk := b"".join(islice(lines, 1 if export.images else LINES_AT_ONCE)):
        yield chunk


def _sparse(cells: Cells) -> Cells:
    """Without what is not said; of a table's features everything stays, or the row would be another one."""
    kept = {n: v for n, v in cells.items() if n not in COLUMNS or (v is not None and v != "")}
    if "image" in kept and (kept["image"] is None or isinstance(kept["image"], bytes)):
        image = kept.pop("image")
        if image is not None:
            kept["image"] = base64.b64encode(image).decode()
    return kept


JSONL = FileFormat(
    "jsonl",
    _("JSONL"),
    (".jsonl", ".ndjson"),
    "application/x-ndjson",
    _("One JSON object a line."),
    GRAINS,
    lambda file, project: readers.jsonl_rows(file),
    _write,
)

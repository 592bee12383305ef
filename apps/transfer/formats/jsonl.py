"""One JSON object a line, for one fact each."""

import base64
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

import orjson
from django.utils.translation import gettext_lazy as _

from apps.datasets import readers
from apps.datasets.readers import Row, raw_of
from apps.projects.models import Project
from apps.rules.values import looks
from apps.transfer.exporting import Export
from apps.transfer.formats.columns import GRAINS, LINES_AT_ONCE, Cells, cells_of
from apps.transfer.formats.format import FileFormat
from apps.transfer.formats.items import head_of, items_of
from apps.transfer.rows import COLUMNS

_IDS = frozenset({"id", "external_id", "external id", "external-id"})
_OF_OTHERS = frozenset({"data", "annotations", "completions", "images"})  # Label Studio's tasks, COCO
_BEGINS = re.compile(rb'\{\s*"(?:external_)?id"\s*:', re.IGNORECASE)


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


def _read(file: BinaryIO, project: Project) -> Iterator[Row]:
    """An object a line, or a list of rows."""
    if not head_of(file).startswith(b"["):
        yield from readers.jsonl_rows(file)
        return
    for item in items_of(file):
        if item.fault:
            yield Row(item.number, None, item.fault, item.raw)
        elif isinstance(item.value, dict):
            yield Row(item.number, item.value)
        else:
            yield Row(item.number, None, "The row is JSON but not an object.", raw_of(item.value))


def _is_ours(head: bytes) -> bool:
    """A list of plain rows with ids is no list of Label Studio's tasks, and an object a line with an id is no COCO."""
    head = head.removeprefix(b"[").lstrip()
    first = _first_of(head)
    if not isinstance(first, dict):
        return bool(_BEGINS.match(head))  # longer than the beginning: an image in it
    return any(looks(n) in _IDS for n in first) and not set(first) & _OF_OTHERS


def _first_of(head: bytes) -> Any:
    """The first JSON value of a beginning; None where it does not end within it."""
    try:
        return json.JSONDecoder().raw_decode(head.decode("utf-8", "ignore"))[0]
    except (ValueError, RecursionError):
        return None


JSONL = FileFormat(
    "jsonl",
    _("JSONL"),
    (".jsonl", ".ndjson", ".json"),
    "application/x-ndjson",
    _("One JSON object a line."),
    GRAINS,
    _read,
    _write,
    recognizes=_is_ours,
    mapped=True,
)

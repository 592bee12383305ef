"""One JSON object a line. Numbers keep all their digits, and a name that stands twice in an object is no silent loss."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from apps.datasets.readers.row import MOST_RAW, Row, utf8_checked
from apps.rules.sentences import sentence, words_of

_LONG = re.compile(rb"[0-9]{19}")  # orjson makes a float of a whole number past 64 bits


class _NameTwice(ValueError):
    """An object says one name twice; the message names it."""


def jsonl_rows(file: BinaryIO) -> Iterator[Row]:
    utf8_checked(file)
    for number, line in enumerate(file, start=1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            values = line_read(line)
        except (ValueError, RecursionError) as cause:
            yield Row(number, None, _reason(cause), line[:MOST_RAW].decode("utf-8", "replace"))
            continue
        if isinstance(values, dict):
            yield Row(number, values)
        else:
            yield Row(
                number,
                None,
                sentence("The line is JSON but not an object."),
                line[:MOST_RAW].decode("utf-8", "replace"),
            )


def line_read(line: bytes) -> Any:
    """Raises ValueError or RecursionError."""
    values = orjson.loads(line)
    if _LONG.search(line) or (isinstance(values, dict) and _may_repeat(line, values)):
        return json.loads(line, object_pairs_hook=_once, parse_constant=_no_number)
    return values


def _may_repeat(line: bytes, values: dict[str, Any]) -> bool:
    """Cheap, and sure only where it says no: a name may also stand inside a text."""
    return line.count(b'":') + line.count(b'" :') > len(values) and any(
        line.count(b'"%s"' % name.encode()) > 1 for name in values
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NameTwice(sentence("The line says “{name}” twice.", name=twice[:80]))
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _reason(cause: Exception) -> str:
    if isinstance(cause, _NameTwice):
        return words_of(cause)
    if isinstance(cause, RecursionError):
        return sentence("The line is not JSON that can be read: it is nested too deep.")
    return sentence("The line is not JSON: {fault}.", fault=str(cause)[:200])

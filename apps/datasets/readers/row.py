"""What every reader gives, and what it raises where there is nothing to give."""

import json
from dataclasses import dataclass
from typing import Any, BinaryIO

from apps.rules.sentences import sentence

MOST_RAW = 2000  # characters of a refused row that are kept
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


class FileUnreadable(ValueError):
    """Nothing of the file can be taken; the message is shown to whoever uploaded it."""


@dataclass(frozen=True)
class Row:
    """`number` counts rows from 1. Either `values`, or `reason` and the raw text; both where it is refused and its id is known."""

    number: int
    values: dict[str, Any] | None
    reason: str = ""
    raw: str = ""


def utf8_checked(file: BinaryIO) -> None:
    """Raises FileUnreadable for an empty file and for UTF-16, with its mark or without. The file stands at its start."""
    head = file.read(4096)
    file.seek(0)
    if not head:
        raise FileUnreadable(sentence("The file is empty."))
    if head.startswith(_MARKS) or head.count(0) * 4 > len(head):
        raise FileUnreadable(sentence("The file is UTF-16, not UTF-8 text. Save it as UTF-8 and send it again."))


def raw_of(value: Any) -> str:
    """What was sent, for the page of refused rows: its beginning, however odd it is."""
    try:
        return json.dumps(value, default=_shown, ensure_ascii=False)[:MOST_RAW]
    except (TypeError, ValueError, RecursionError, OverflowError):
        return "It cannot be shown: it is nested too deep, or no text."


def _shown(value: Any) -> str:
    return f"{len(value):,} bytes" if isinstance(value, bytes) else str(value)

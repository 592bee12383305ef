"""What a request asked about, as columns that the log can keep and an example can be made of."""

import json
from collections.abc import Sequence
from typing import Any

from apps.monitoring.log.services import AskedRow


def asked_rows(payloads: Sequence[Any]) -> list[AskedRow] | None:
    """One for each payload of a learner: bytes are a picture, a text is the column “text”, a mapping is its own columns.

    None where one holds what no database can keep: then the answers are logged without.
    """
    try:
        return [_row(payload) for payload in payloads]
    except (UnicodeEncodeError, ValueError, TypeError):
        return None


def _row(payload: Any) -> AskedRow:
    if isinstance(payload, bytes):
        return AskedRow({}, payload)
    row = {"text": payload} if isinstance(payload, str) else dict(payload)
    written = json.dumps(row, ensure_ascii=False, allow_nan=False)
    written.encode()  # half a character
    if "\\u0000" in written:
        raise ValueError("a NUL character")
    return AskedRow(row)

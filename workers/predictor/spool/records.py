"""The rows of one request as bytes, and back: JSON, and pictures behind it as they are.

Files of version 1 have no margin and no share (14 values a row): what is not there is as it was then.
"""

import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from apps.monitoring.log.services import AskedRow, LoggedPrediction

_LENGTH = struct.Struct("<I")
_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class RecordUnreadable(Exception):
    """A record that is whole and means nothing: another release wrote it."""


def encoded(rows: Sequence[LoggedPrediction]) -> bytes:
    """Raises ValueError or TypeError where a row holds what no file can keep."""
    images: list[bytes] = []
    written = orjson.dumps([_row(row, images) for row in rows])
    return b"".join((_LENGTH.pack(len(written)), written, *images))


def _row(row: LoggedPrediction, images: list[bytes]) -> list[Any]:
    asked: list[Any] | None = None
    if row.asked is not None:  # its own JSON: whole numbers of any length stay what they are
        asked = [json.dumps(dict(row.asked.row)), None if row.asked.image is None else len(row.asked.image)]
        if row.asked.image is not None:
            images.append(row.asked.image)
    return [
        row.project_id,
        row.inference_id,
        (row.at - _SINCE) // _MICROSECOND,
        row.model_number,
        row.label,
        row.confidence,
        row.latency_ms,
        row.arm,
        row.rollout,
        row.entity,
        row.failed,
        row.agreed,
        row.item,
        asked,
        row.margin,
        row.share,
        row.stays,
    ]


def decoded(record: bytes) -> list[LoggedPrediction]:
    """Raises RecordUnreadable."""
    try:
        (length,) = _LENGTH.unpack_from(record)
        place = _LENGTH.size + length
        found = list[LoggedPrediction]()
        for values in orjson.loads(record[_LENGTH.size : place]):
            asked = values[13]
            if asked is not None:
                image = None if asked[1] is None else record[place : place + asked[1]]
                place += asked[1] or 0
                asked = AskedRow(json.loads(asked[0]), image)
            at = _SINCE + values[2] * _MICROSECOND
            given: tuple[Any, ...] = (values[0], values[1], at, *values[3:13], asked, *values[14:17])
            found.append(LoggedPrediction(*given))
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, struct.error) as cause:
        raise RecordUnreadable(str(cause)) from None
    return found

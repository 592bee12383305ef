"""What one cell of a row may hold: JSON that PostgreSQL, Parquet, every model and every export can carry."""

import json
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.rules.sentences import sentence
from apps.rules.values.characters import whole
from apps.rules.values.refusals import ValueRefused

MOST_DEPTH = 32  # of lists and objects in one cell
_LEAST, _MOST = -(2**63), 2**63 - 1


def cell_of(value: Any, name: str) -> Any:
    """Text, number, truth or None. What is not a number (NaN) is missing, a list or an object is its JSON.

    Raises ValueRefused for NUL, half characters, infinity, whole numbers past 64 bits, and bytes that are no text.
    """
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(nested_of(value, name), ensure_ascii=False)
    return _single(value, name)


def nested_of(value: Any, name: str, depth: int = 0) -> Any:
    """The same rule for what may be nested: lists and objects stay what they are."""
    if depth > MOST_DEPTH:
        raise ValueRefused(sentence("“{name}” is nested more than {most} deep.", name=name, most=MOST_DEPTH))
    if isinstance(value, Mapping):
        return {whole(str(k), f"A name in “{name}”"): nested_of(v, name, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [nested_of(v, name, depth + 1) for v in value]
    return _single(value, name)


def _single(value: Any, name: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return whole(value, f"“{name}”")
    if isinstance(value, int):
        if not _LEAST <= value <= _MOST:
            raise ValueRefused(sentence("“{name}” is a whole number past 64 bits; send it as text.", name=name))
        return value
    if isinstance(value, float):
        return _finite(value, name)
    if isinstance(value, Decimal):
        return _of_decimal(value, name)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return text_of_bytes(bytes(value), name)
    return whole(str(value), f"“{name}”") if isinstance(value, UUID) else _strange(value, name)


def text_of_bytes(content: bytes, name: str) -> str:
    try:
        return whole(content.decode(), f"“{name}”")
    except UnicodeDecodeError:
        raise ValueRefused(sentence("“{name}” is bytes that are no UTF-8 text.", name=name)) from None


def _finite(value: float, name: str) -> float | None:
    if value != value:
        return None
    if value - value != 0:
        raise ValueRefused(sentence("“{name}” is infinite, or a number too large to keep.", name=name))
    return value


def _of_decimal(value: Decimal, name: str) -> int | float | None:
    if value.is_nan():
        return None
    if value.is_finite() and value.adjusted() < 19 and value == value.to_integral_value():
        return int(_single(int(value), name))
    return _finite(float(value), name)


def _strange(value: Any, name: str) -> Any:
    raise ValueRefused(sentence("“{name}” is a {kind}, which cannot be kept.", name=name, kind=type(value).__name__))

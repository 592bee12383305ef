"""What the rows of all that is stored have in common."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from apps.datasets.batches import StoredRow
from apps.rules.answers import Value

Columns = Callable[[Value | None], tuple[int | None, Value | None]]  # a value as (label_id, value)


def json_of(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def known_among(kept: Iterable[StoredRow]) -> list[int]:
    return list({k.example_id for k in kept if not k.fresh})

"""A row that did not fit, as it is kept: its number, its reason, and the beginning of what was sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.datasets.models import DeadLetter, Ingestion
from apps.datasets.readers import Row, raw_of
from apps.rules.sentences import parts_of
from apps.rules.values import MOST_ID, ValueRefused, id_of


def given_id(values: Mapping[str, Any]) -> Any:
    """What the row says of its id, in whichever of the two columns it says it."""
    given = values.get("external_id")
    return values.get("id") if given is None or given == "" else given


def letter_of(ingestion: Ingestion, row: Row, reason: str, at: datetime) -> DeadLetter:
    return DeadLetter(
        project_id=ingestion.project_id,
        ingestion=ingestion,
        row_number=row.number,
        external_id=_name(row.values),
        reason=_storable(reason)[:300],
        parts=storable(parts_of(reason)),
        raw=_storable(row.raw or raw_of(row.values))[:2000],
        at=at,
    )


def _name(values: Mapping[str, Any] | None) -> str:
    given = given_id(values) if values is not None else ""
    try:
        return id_of(given)
    except ValueRefused:
        return _storable(given)[:MOST_ID] if isinstance(given, str) else ""


def storable(parts: Any) -> Any:
    """Parts of a sentence as JSON that PostgreSQL keeps, whatever was quoted in it."""
    if isinstance(parts, Mapping):
        return {name: storable(value) for name, value in parts.items()}
    if isinstance(parts, list):
        return [storable(value) for value in parts]
    return _storable(parts) if isinstance(parts, str) else parts


def _storable(text: str) -> str:
    """Without what PostgreSQL cannot keep: NUL and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()

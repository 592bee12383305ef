"""One piece of feedback as it was sent: which answer, a label or a number under a name, and when. Checked, or refused in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from apps.rules.sentences import sentence, term
from apps.rules.values import ValueRefused, id_of, in_one_line, moment_of, name_of, shown

LABEL = "label"  # what labels come under
MOST_NAMES = 20  # names of numbers that a setting may list
MOST_NAME = 60  # characters of one
MOST_ID = 100  # of an inference id, as the predictor takes them
MOST_ITEM = 32_767
KEYS = frozenset({"inference_id", "item", "label", "name", "value", "at"})


@dataclass(frozen=True, slots=True)
class FeedbackSent:
    """`label` is empty where `value` is given. `item` counts the rows of one request from 0; None where nobody said."""

    inference_id: str
    item: int | None
    name: str
    label: str
    value: float | None
    at: datetime


def number_name(given: Any) -> str:
    """What a number is called: click, rating, revenue. Raises ValueRefused."""
    if not isinstance(given, str):
        raise ValueRefused(sentence("The name of a number is text, such as “click”."))
    name = name_of(given, term("The name"), MOST_NAME)
    if name.casefold() == LABEL:
        raise ValueRefused(sentence("“label” is the name of labels; a number has another one, such as “rating”."))
    return name


def feedback_of(row: Any, *, now: datetime) -> FeedbackSent:
    """Raises ValueRefused with one sentence.

    >>> from datetime import UTC
    >>> then = datetime(2026, 11, 1, tzinfo=UTC)
    >>> sent = feedback_of({"inference_id": 18446744073709551617, "name": "click", "value": True}, now=then)
    >>> sent.inference_id, sent.name, sent.value, sent.at == then
    ('18446744073709551617', 'click', 1.0, True)
    """
    if not isinstance(row, Mapping):
        raise ValueRefused(sentence("The row is not an object with an inference_id."))
    unknown = next((key for key in row if key not in KEYS), None)
    if unknown is not None:
        raise ValueRefused(
            sentence(
                "“{value}” is not known here. Known are {known}.", value=shown(unknown), known=", ".join(sorted(KEYS))
            )
        )
    name, label, value = _said(row)
    at = moment_of(row.get("at"), now=now, name=term("The time")) or now
    return FeedbackSent(_inference_id(row.get("inference_id")), _item(row.get("item")), name, label, value, at)


def _inference_id(given: Any) -> str:
    if given is None:
        raise ValueRefused(sentence("The row has no “inference_id”: the id of the request that was answered."))
    found = id_of(given)
    if len(found) > MOST_ID:
        raise ValueRefused(
            sentence(
                "The inference_id has {length} characters; requests have at most {most}.",
                length=len(found),
                most=MOST_ID,
            )
        )
    return found


def _item(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= MOST_ITEM:
        raise ValueRefused(
            sentence("The item is the place of a row in its request, from 0, not “{value}”.", value=shown(given))
        )
    return given


def _said(row: Mapping[str, Any]) -> tuple[str, str, float | None]:
    label, value, name = row.get("label"), row.get("value"), row.get("name")
    if (label is None) == (value is None):
        raise ValueRefused(sentence("A row says either a “label”, or a “value” under a “name”."))
    if label is not None:
        if name is not None and name != LABEL:
            raise ValueRefused(sentence("A label has no name of its own; leave “name” out."))
        if not isinstance(label, str) or not label.strip():
            raise ValueRefused(sentence("The label is not a label’s name: “{value}”.", value=shown(label)))
        return LABEL, in_one_line(label.strip(), term("The label")), None
    if name is None:
        raise ValueRefused(sentence("A value needs a “name”, such as “click” or “rating”."))
    return number_name(name), "", _number(value)


def _number(value: Any) -> float:
    if isinstance(value, str) or not isinstance(value, int | float):
        raise ValueRefused(sentence("The value is not a number: “{value}”.", value=shown(value)))
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise ValueRefused(sentence("The value is not a finite number."))
    if abs(number) > 1e15:
        raise ValueRefused(
            sentence("The value {value} is too large: at most 1,000,000,000,000,000.", value=shown(value))
        )
    return number

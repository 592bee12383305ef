"""The one rule of external ids, for every door: what an example is called in the system it came from."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.rules.sentences import sentence, term
from apps.rules.values.characters import INVISIBLE, in_one_line
from apps.rules.values.refusals import ValueRefused, shown

MOST_ID = 200  # characters
NO_ID = sentence("The row has no “id” (or “external_id”).")
EXACT_FLOAT = 2**53  # from here on neighboring whole numbers are one float
_WORDS_FOR_NONE = frozenset({"nan", "null", "none", "nat", "<na>", "nil", "undefined"})


def id_of(value: Any) -> str:
    """An id as it is kept: text without blanks at its ends, a whole number digit by digit. Raises ValueRefused.

    >>> id_of(18446744073709551617), id_of(1.0), id_of(" a-7 ")
    ('18446744073709551617', '1', 'a-7')
    """
    name = _text_of(value).strip()
    if not name:
        raise ValueRefused(NO_ID)
    if name.casefold() in _WORDS_FOR_NONE:
        raise ValueRefused(sentence("The id is “{name}”, which programs write where there is none.", name=name))
    if len(name) > MOST_ID:
        raise ValueRefused(
            sentence("The id has {length} characters; at most {most} fit.", length=len(name), most=MOST_ID)
        )
    in_one_line(name, term("The id"))
    unseen = INVISIBLE.search(name)
    if unseen:
        raise ValueRefused(
            sentence(
                "The id holds the invisible character U+{code:04X}: nobody could tell it apart.", code=ord(unseen[0])
            )
        )
    return name


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        raise ValueRefused(sentence("The id is {value}; an id is text or a number.", value=str(value).lower()))
    if isinstance(value, int):
        return _digits(value)
    if isinstance(value, float):
        return _of_float(value)
    if isinstance(value, Decimal):
        return _of_decimal(value)
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        raise ValueRefused(sentence("The id is bytes; an id is text or a number. Write the column as text."))
    if isinstance(value, dict):
        raise ValueRefused(sentence("The id is an object, {value}; an id is text or a number.", value=shown(value)))
    if isinstance(value, list | tuple | set):
        raise ValueRefused(sentence("The id is a list, {value}; an id is text or a number.", value=shown(value)))
    raise ValueRefused(sentence("The id is a {kind}; an id is text or a number.", kind=type(value).__name__))


def _digits(value: int) -> str:
    if value.bit_length() > MOST_ID * 4:  # longer than fits, and perhaps than Python writes
        raise ValueRefused(sentence("The id is a number of more than {most} digits; at most {most} fit.", most=MOST_ID))
    return str(value)


def _of_float(value: float) -> str:
    if value != value:
        return ""
    if value - value != 0:
        raise ValueRefused(sentence("The id is infinite."))
    if not value.is_integer():
        return str(value)
    if abs(value) > EXACT_FLOAT:
        raise ValueRefused(
            sentence(
                "The id {value:g} came as a decimal number, which has lost its last digits. Send it as text.",
                value=value,
            )
        )
    return str(int(value))


def _of_decimal(value: Decimal) -> str:
    if value.is_nan():
        return ""
    if not value.is_finite():
        raise ValueRefused(sentence("The id is infinite."))
    if value.adjusted() > MOST_ID:
        raise ValueRefused(sentence("The id is a number of more than {most} digits; at most {most} fit.", most=MOST_ID))
    return str(int(value)) if value == value.to_integral_value() else format(value, "f")

"""Numbers in the reader’s form, as Django knows it: 6,500 and 85.0 in English, 6 500 and 85,0 in Spanish; not for API and files."""

from string import Formatter
from typing import Any

from django.utils.formats import get_format

from apps.rules import words

_SWAPPED = {",": "THOUSAND_SEPARATOR", ".": "DECIMAL_SEPARATOR"}


def localized(written: str) -> str:
    """A number as Python writes it, with the separators of the reader's language."""
    return "".join(str(get_format(_SWAPPED[each])) if each in _SWAPPED else each for each in written)


def grouped(number: float) -> str:
    """A whole number with its thousands apart."""
    return localized(f"{number:,}")


def decimal(number: float, digits: int) -> str:
    """So many digits after the sign that the reader's language puts there."""
    return localized(f"{number:.{digits}f}")


def percent(share: float, digits: int = 0) -> str:
    """A share as percent, a space before the sign."""
    return f"{decimal(100 * share, digits)} %"


def signed(value: float, digits: int = 1) -> str:
    """With its sign, a true minus; what rounds to zero has none."""
    return localized(words.signed(value, digits))


def points(share: float) -> str:
    """A difference of shares in percentage points, without the unit."""
    return signed(100 * share)


class _Localized(Formatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        written = super().format_field(value, format_spec)
        return localized(written) if format_spec and isinstance(value, int | float) else written


def fill(sentence: str, **values: Any) -> str:
    """`fill(gettext("{n:,} of {share:.1f} %"), n=n, share=x)`: like str.format, numbers that say how they are written localized."""
    return _Localized().vformat(sentence, (), values)

"""What a request holds that no text, JSON or database can keep: a fault of the sender, whichever door it came by.

Doors check what they take and say it better; this is behind them, so that none answers as if the fault were ours.
"""

from django.db import DataError
from django.utils.translation import gettext

from apps.errors import Invalid
from apps.pages.sentences import refusal
from apps.rules.values import ValueRefused


class NotKeepable(Invalid):
    """A value of the request cannot be read or stored."""

    http_status = 400


def not_keepable(error: BaseException) -> NotKeepable | None:
    """The refusal that an exception is, or None where the fault may be ours."""
    if isinstance(error, RecursionError):
        return NotKeepable(gettext("The request is nested too deep."))
    if isinstance(error, UnicodeEncodeError):
        return NotKeepable(gettext("The request holds half a character, which no text can keep."))
    if isinstance(error, ValueRefused):
        return NotKeepable(refusal(error))
    if isinstance(error, DataError) or (isinstance(error, ValueError) and "NUL (0x00)" in str(error)):
        return NotKeepable(gettext("The request holds a value that the database cannot keep, such as a NUL character."))
    return None

"""The one rule of names: of labels, projects and columns. Two names that look the same are one name."""

import unicodedata
from collections.abc import Iterable

from apps.rules.sentences import sentence, term
from apps.rules.values.characters import INVISIBLE, UNSEEN, in_one_line, one_blank, whole
from apps.rules.values.refusals import ValueRefused

MOST_NAME = 80  # characters
# One ASCII letter or digit: what else a keyboard has grows, moves or needs a second key ("ß" is "SS" in capitals).
KEYS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ENDS = " \u200c\u200d\ufe0e\ufe0f"


def tidy(given: str) -> str:
    """A name as it is kept: composed (NFC), one plain blank where there are blanks, nothing that nobody sees.

    >>> tidy("  late\\u00a0 delivery\\u200b") == "late delivery" and tidy("cafe\\u0301") == "caf\\u00e9"
    True
    """
    return one_blank(unicodedata.normalize("NFC", INVISIBLE.sub("", given))).strip(_ENDS)


def name_of(given: str, what: str, most: int = MOST_NAME) -> str:
    """A tidy name. Raises ValueRefused for one that is empty, too long, or has a line break or a control character."""
    name = tidy(in_one_line(given.strip(), what))
    if not name:
        raise ValueRefused(sentence("{what} is empty.", what=what))
    if len(name) > most:
        raise ValueRefused(
            sentence("{what} has {length:,} characters; at most {most:,} fit.", what=what, length=len(name), most=most)
        )
    return name


def looks(name: str) -> str:
    """The same for names that nobody could tell apart, or that differ in capitals only.

    >>> looks("Caf\\u00e9") == looks("cafe\\u0301 ") != looks("cafe")
    True
    """
    return unicodedata.normalize("NFC", spelled(name).casefold())


def spelled(name: str) -> str:
    """As `looks`, with its capitals."""
    return unicodedata.normalize("NFC", one_blank(UNSEEN.sub("", name)))


def same_name(given: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is spelled so, however its accents and blanks are written; None where there is none."""
    known = list(names)
    if given in known:
        return given
    wanted = spelled(given)
    return next((name for name in known if spelled(name) == wanted), None)


def key_of(given: str) -> str:
    """A key of the keyboard as it is kept, in capitals; empty where none is given. Raises ValueRefused."""
    key = given.strip()
    if key and (not key.isascii() or key.upper() not in KEYS):
        raise ValueRefused(
            sentence(
                "The key “{value}” is not one letter from A to Z or one digit.", value=whole(key, term("The key"))[:10]
            )
        )
    return key.upper()

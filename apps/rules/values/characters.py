"""Characters that no name, id or cell may hold, and those that nobody sees."""

import re

from apps.rules.sentences import sentence
from apps.rules.values.refusals import ValueRefused

# Joiners and variation selectors make letters and emoji what they are; they count as nothing only where looks are compared.
JOINERS = "\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
UNSEEN = re.compile(f"(?:{INVISIBLE.pattern}|[{JOINERS}])")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
HALF = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"\s+")


def one_blank(text: str) -> str:
    """Blanks of every kind as one plain blank each run, none at the ends. Line breaks count as blanks here."""
    return _BLANKS.sub(" ", text).strip()


def whole(text: str, what: str) -> str:
    """The text itself. Raises ValueRefused for what PostgreSQL and UTF-8 cannot keep: NUL and half characters."""
    if "\x00" in text:
        raise ValueRefused(sentence("{what} contains a NUL character.", what=what))
    if HALF.search(text):
        raise ValueRefused(
            sentence("{what} holds half a character (a lone surrogate), which no text can keep.", what=what)
        )
    return text


def in_one_line(text: str, what: str) -> str:
    """As `whole`, and without control characters and line breaks."""
    found = CONTROL.search(whole(text, what))
    if found:
        raise ValueRefused(
            sentence("{what} contains the control character U+{code:04X}.", what=what, code=ord(found[0]))
        )
    return text

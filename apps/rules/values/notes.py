"""What people write beside a thing: a note of several lines, and tags, short names of which there may be a few."""

import unicodedata
from collections.abc import Iterable, Sequence

from apps.rules.sentences import sentence, term
from apps.rules.values.characters import CONTROL, INVISIBLE, whole
from apps.rules.values.names import looks, name_of
from apps.rules.values.refusals import ValueRefused

MOST_NOTE = 2000  # characters: a screen of text
MOST_TAG = 40  # characters
MOST_TAGS = 10  # of one thing


def note_of(given: str, what: str, most: int = MOST_NOTE) -> str:
    """Composed (NFC), with plain line breaks and no blanks at the ends; one of blanks only, seen or not, is empty.

    Raises ValueRefused for NUL, half characters, other control characters, and what is too long.

    >>> note_of(" as run 3,\\r\\nbut slower \\u200b ", "The note")
    'as run 3,\\nbut slower'
    """
    text = INVISIBLE.sub("", whole(given, what)).replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    lines = [unicodedata.normalize("NFC", line.replace("\t", " ")).rstrip() for line in text.split("\n")]
    for line in lines:
        if bad := CONTROL.search(line):
            raise ValueRefused(
                sentence("{what} contains the control character U+{code:04X}.", what=what, code=ord(bad[0]))
            )
    note = "\n".join(lines).strip()
    if len(note) > most:
        raise ValueRefused(
            sentence("{what} has {length:,} characters; at most {most:,} fit.", what=what, length=len(note), most=most)
        )
    return note


def tags_of(given: Sequence[str], known: Iterable[str] = ()) -> list[str]:
    """Tags as they are kept, in order, each once; one that looks like a known one is that one.

    Raises ValueRefused for one that is no name, has a comma (a page writes them with commas), or is too long, and for
    more than fit.

    >>> tags_of(["Baseline", " baseline\\u00a0", "small  lr"], known=["baseline"])
    ['baseline', 'small lr']
    """
    same = {looks(name): name for name in known}
    found: dict[str, str] = {}
    for each in given:
        tag = name_of(each, term("A tag"), MOST_TAG)
        if "," in tag:
            raise ValueRefused(sentence("The tag “{tag}” has a comma; commas stand between tags.", tag=tag))
        found.setdefault(looks(tag), same.get(looks(tag), tag))
    if len(found) > MOST_TAGS:
        raise ValueRefused(
            sentence("There are {length:,} tags; at most {most} fit.", length=len(found), most=MOST_TAGS)
        )
    return list(found.values())

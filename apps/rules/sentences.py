"""English sentences that know what they were made of, so that a reader of another language gets theirs.

What is kept is English, as a record has one language; its `parts` are kept beside it (JSON) and become a sentence in the
reader's language when it is shown: apps/pages/sentences.py. A plain string has no parts and stays as it is.
"""

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

Parts = dict[str, Any]


class Sentence(str):
    """`parts` is JSON: a pattern with what fills it, or one of a number, a count, a choice's word, a list."""

    parts: Parts

    def __new__(cls, english: str, parts: Parts) -> "Sentence":
        made = super().__new__(cls, english)
        made.parts = parts
        return made

    def __getnewargs__(self) -> tuple[str, Parts]:  # type: ignore[override]
        return str(self), self.parts


def sentence(pattern: str, **values: object) -> Sentence:
    """The pattern filled. `make messages` reads every pattern from the calls of this name, so it is written out there.

    >>> made = sentence("Run {number} was judged: {outcome}.", number=3, outcome=term("pass"))
    >>> made == "Run 3 was judged: pass.", made.parts["values"]["outcome"]
    (True, {'term': 'pass'})
    """
    return Sentence(pattern.format(**values), {"pattern": pattern, "values": {k: kept(v) for k, v in values.items()}})


def term(word: str) -> Sentence:
    """A word of the console itself, such as a choice's title; it is translated alone."""
    return Sentence(word, {"term": word})


def lowered(word: str) -> Sentence:
    """The same within a sentence: as its language writes it there."""
    return Sentence(word.lower(), {"term": word, "lower": True})


def joined(pieces: Iterable[str], between: str = " ") -> Sentence:
    """Sentences one after the other, or clauses with a comma.

    >>> joined(["One.", sentence("{n} more.", n=2)])
    'One. 2 more.'
    """
    found = list(pieces)
    return Sentence(between.join(found), {"joined": [kept(piece) for piece in found], "between": between})


def listed(pieces: Iterable[str]) -> Sentence:
    """
    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    *some, last = pieces
    return sentence("{some} and {last}", some=joined(some, ", "), last=last) if some else joined([last])


def clause(words: str) -> Sentence:
    """A sentence within another one: without its capital and its full stop."""
    return Sentence(words[:1].lower() + words[1:].removesuffix("."), {"clause": kept(words)})


def raised(words: str) -> Sentence:
    """A clause as a sentence."""
    return Sentence(words[:1].upper() + words[1:], {"raised": kept(words)})


def words_of(refusal: BaseException) -> str:
    """What an exception was raised with. `str` of it has lost the parts."""
    first = refusal.args[0] if refusal.args else ""
    return first if isinstance(first, str) else str(refusal)


def cut(words: str, most: int) -> str:
    """The first characters, as a column keeps them; the parts stay whole."""
    return Sentence(words[:most], words.parts) if isinstance(words, Sentence) else words[:most]


def parts_of(words: str) -> Parts:
    """What to keep beside the words; nothing for a plain string."""
    return words.parts if isinstance(words, Sentence) else {}


def kept(value: object) -> Any:
    """As JSON has it."""
    if isinstance(value, Sentence):
        return value.parts
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else str(value)


def renamed(parts: Mapping[str, Any], name: str, value: str) -> Parts:
    """The same parts with one value replaced, where the pattern has it."""
    values = parts.get("values", {})
    return {**parts, "values": {**values, name: value}} if name in values else dict(parts)

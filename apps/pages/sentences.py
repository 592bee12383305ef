"""What the record keeps in English, in the reader's language: from the parts that stand beside the sentence."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html
from django.utils.translation import get_language, gettext

from apps.pages import numbers
from apps.pages.words import counted
from apps.rules.sentences import parts_of, words_of
from apps.rules.words import MINUS

Part = Mapping[str, Any] | str | int | float


def in_words(english: str, parts: Mapping[str, Any] | None) -> str:
    """The sentence for whoever reads; what has no parts is in English, and says so to a screen reader."""
    if _reads_english() or not english:
        return english
    words = _said(parts) if parts else None
    return words if words is not None else format_html('<span lang="en">{}</span>', english)


def _reads_english() -> bool:
    return (get_language() or "en").split("-")[0] == "en"


def plain(english: str, parts: Mapping[str, Any] | None) -> str:
    """The same without markup."""
    words = None if _reads_english() or not parts else _said(parts)
    return english if words is None else words


def refusal(cause: BaseException) -> str:
    """What a rule refused a value with, for whoever sent it: in their language."""
    words = words_of(cause)
    return plain(words, parts_of(words))


def _said(part: Part) -> str | None:
    """None where the reader's language has no words for it (a plug-in's own), or the parts are not what this knows."""
    if not isinstance(part, Mapping):
        return str(part)
    try:
        if "pattern" in part:
            return _filled(part)
        if "joined" in part:
            pieces = [_said(piece) for piece in part["joined"]]
            return None if None in pieces else part["between"].join(str(piece) for piece in pieces)
        if "clause" in part:
            words = _said(part["clause"])
            return words and words[:1].lower() + words[1:].removesuffix(".")
        if "raised" in part:
            words = _said(part["raised"])
            return words and words[:1].upper() + words[1:]
        if "term" in part:
            english = part["term"]
            word = gettext(english) if english else ""
            return word[:1].lower() + word[1:] if part.get("lower") else word
        if "count" in part:
            return counted(part["count"], part["noun"])
        if "percent" in part:
            return numbers.percent(part["percent"], part["digits"])
        if "number" in part:
            return numbers.decimal(part["number"], part["digits"]).replace("-", MINUS)
        if "rate" in part:
            return f"{numbers.localized(format(100 * part['rate'], '.4g'))} %"
        if "signed" in part:
            return numbers.signed(part["signed"], part["digits"])
    except (KeyError, IndexError, ValueError, TypeError):
        return None  # of another release
    return None


def _filled(part: Mapping[str, Any]) -> str | None:
    english = part["pattern"]
    pattern = gettext(english)
    if pattern == english and any(c.isalpha() for c in _without_holes(pattern)):
        return None
    values = {name: value if isinstance(value, int | float) else _said(value) for name, value in part["values"].items()}
    return None if None in values.values() else numbers.fill(pattern, **values)


def _without_holes(pattern: str) -> str:
    return "".join(piece.split("}")[-1] for piece in pattern.split("{"))

"""One event as it came, and under our names: JSON, a mapping, and whether it has the shape that was learned. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from apps.rules.sentences import Sentence, joined, sentence, term
from apps.rules.values import ValueRefused, shown

MOST_BYTES = 1_000_000  # of one event; what is larger belongs into storage, with its address in the event
MOST_PATHS = 40
MOST_DIFF = 8  # paths that a sentence names
MISSING = "nothing"
SHAPES = (MISSING, "true or false", "number", "text", "list", "object")


def event_read(value: bytes) -> dict[str, Any]:
    """The object that an event holds. Raises ValueRefused."""
    if len(value) > MOST_BYTES:
        raise ValueRefused(
            sentence("The event has {n:,} bytes; at most {most:,} are read.", n=len(value), most=MOST_BYTES)
        )
    try:
        found = json.loads(value.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise ValueRefused(sentence("The event is no UTF-8 text.")) from None
    except RecursionError:
        raise ValueRefused(sentence("The event is nested too deep.")) from None
    except ValueError as cause:
        raise ValueRefused(sentence("The event is no JSON: {fault}.", fault=str(cause)[:120])) from None
    if not isinstance(found, dict):
        raise ValueRefused(sentence("The event is no object but {kind}.", kind=term(kind_of(found))))
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def at_path(event: Mapping[str, Any], path: str) -> tuple[bool, Any]:
    """Whether something stands there, and what: a key of the event as it is written, else one step a dot.

    >>> at_path({"a": {"b": 1}, "a.c": 2}, "a.b"), at_path({"a": {"b": 1}, "a.c": 2}, "a.c"), at_path({}, "a")
    ((True, 1), (True, 2), (False, None))
    """
    if path in event:
        return True, event[path]
    here: Any = event
    for step in path.split("."):
        if isinstance(here, Mapping) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            here = here[int(step)]
        else:
            return False, None
    return True, here


def mapped(event: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """The event under our names; without a mapping it has them already."""
    if not mapping:
        return dict(event)
    found = {name: at_path(event, path) for name, path in mapping.items()}
    return {name: value for name, (there, value) in found.items() if there}


def nothing_at(path: str) -> Sentence:
    """Why an event shows nothing under one of our names."""
    return sentence("Nothing stands at “{path}”.", path=shown(path))


def kind_of(value: Any) -> str:
    """What a value is, as a shape says it.

    >>> [kind_of(v) for v in (None, True, 1, 2.5, "a", [1], {})]
    ['nothing', 'true or false', 'number', 'number', 'text', 'list', 'object']
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"


def shape_of(event: Mapping[str, Any], paths: list[str]) -> dict[str, str]:
    """What each path holds."""
    return {path: kind_of(at_path(event, path)[1]) for path in paths[:MOST_PATHS]}


def misfit(event: Mapping[str, Any], shape: Mapping[str, str]) -> Sentence | None:
    """How an event differs from the shape that was learned; None where it does not. Text and numbers pass for each other
    nowhere: a column that was a number and is now a text is another column."""
    differs = []
    for path, was in shape.items():
        now = kind_of(at_path(event, path)[1])
        if was != MISSING and now != was:
            differs.append(sentence("“{path}” was {was} and is {now}", path=shown(path), was=term(was), now=term(now)))
    if not differs:
        return None
    extra = sorted(set(event) - {path.split(".")[0] for path in shape})[:MOST_DIFF]
    new = [sentence("new is “{path}”", path=shown(path)) for path in extra]
    return joined([*differs[:MOST_DIFF], *new], "; ")

"""What every kind of answer can do."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Value = dict[str, Any]


class AnswerRefused(ValueError):
    """The answer does not fit the example or the schema; the message is shown to whoever gave it."""


class AnswerKind(Protocol):
    @property
    def name(self) -> str:
        """choice | choices | spans | boxes: also the name of the desk's script for it."""

    def check(self, given: Mapping[str, Any], *, labels: Sequence[str], fields: Mapping[str, Any]) -> Value:
        """The value in its canonical form; equal answers become equal values. Raises AnswerRefused with a sentence.

        `labels` are the names that may be given, in schema order; `fields` is what is stored of the example.
        """

    def similarity(self, a: Value, b: Value) -> float:
        """How far two answers say the same, 0 to 1; 1 exactly when they are equal in meaning."""

    def merge(self, votes: Sequence[Value]) -> Value:
        """What more than half of the votes say, in canonical form."""

    def labels_in(self, value: Value) -> tuple[str, ...]:
        """The names of the labels that the value uses, each once, in its order."""

    def words(self, value: Value) -> str:
        """One line, for lists."""


def known_label(name: Any, labels: Sequence[str]) -> str:
    """Raises AnswerRefused for what is not among the labels."""
    if not isinstance(name, str) or name not in labels:
        raise AnswerRefused(f"The label “{str(name)[:80]}” is not in the project’s labels.")
    return name


def listed(given: Mapping[str, Any], key: str, most: int) -> list[Any]:
    """The list under `key`. Raises AnswerRefused when it is not one or is absurdly long."""
    found = given.get(key)
    if not isinstance(found, list) or set(given) - {key}:
        raise AnswerRefused(f"The answer must be an object with one list, “{key}”.")
    if len(found) > most:
        raise AnswerRefused(f"The answer has {len(found):,} {key}; at most {most:,} are taken.")
    return found


def unique(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))

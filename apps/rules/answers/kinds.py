"""What every kind of answer can do."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.rules.sentences import sentence
from apps.rules.values import same_name, shown

Value = dict[str, Any]


class AnswerRefused(ValueError):
    """The answer does not fit the example or the schema; the message is shown to whoever gave it."""


@dataclass(frozen=True)
class AnswerKind(ABC):
    """One way to answer. The name is also that of the desk's template and script for it."""

    name: str
    title: str
    key: str  # of a value: under it stands one label, or a list where the answer is structured
    structured: bool = True  # more than one label, and so kept as JSON
    in_bulk: bool = False  # the same answer can be given to many examples at once

    @abstractmethod
    def check(self, given: Mapping[str, Any], *, labels: Sequence[str], fields: Mapping[str, Any]) -> Value:
        """The value in its canonical form; equal answers become equal values. Raises AnswerRefused with a sentence.

        `labels` are the names that may be given, in schema order; `fields` is what is stored of the example.
        """

    @abstractmethod
    def similarity(self, a: Value, b: Value) -> float:
        """How far two answers say the same, 0 to 1; 1 exactly when they are equal in meaning."""

    @abstractmethod
    def merge(self, votes: Sequence[Value]) -> Value:
        """What more than half of the votes say, in canonical form."""

    @abstractmethod
    def labels_in(self, value: Value) -> tuple[str, ...]:
        """The names of the labels that the value uses, each once, in its order."""

    @abstractmethod
    def words(self, value: Value) -> str:
        """One line, for lists."""


def known_label(name: Any, labels: Sequence[str]) -> str:
    """The label of that name, however its accents and blanks are written. Raises AnswerRefused where there is none."""
    found = same_name(name, labels) if isinstance(name, str) else None
    if found is None:
        raise AnswerRefused(sentence("The label “{value}” is not in the project’s labels.", value=shown(name, 80)))
    return found


def listed(given: Mapping[str, Any], key: str, most: int) -> list[Any]:
    """The list under `key`. Raises AnswerRefused when it is not one or is absurdly long."""
    found = given.get(key)
    if not isinstance(found, list) or set(given) - {key}:
        raise AnswerRefused(sentence("The answer must be an object with one list, “{key}”.", key=key))
    if len(found) > most:
        raise AnswerRefused(
            sentence(
                "The answer has {length:,} {key}; at most {most:,} are taken.", length=len(found), key=key, most=most
            )
        )
    return found


def unique(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))

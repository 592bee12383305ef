"""Any number of labels of the schema, none included."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.rules.answers.kinds import AnswerKind, AnswerRefused, Value, known_label, listed
from apps.rules.sentences import sentence

NONE_FITS = "none of the labels"


@dataclass(frozen=True)
class Choices(AnswerKind):
    name: str = "choices"
    title: str = "Any number of labels"
    key: str = "labels"
    in_bulk: bool = True

    def check(self, given: Mapping[str, Any], *, labels: Sequence[str], fields: Mapping[str, Any]) -> Value:
        """Labels in schema order.

        >>> Choices().check({"labels": ["b", "a"]}, labels=["a", "b", "c"], fields={})
        {'labels': ['a', 'b']}
        """
        names = [known_label(name, labels) for name in listed(given, self.key, len(labels))]
        if len(set(names)) < len(names):
            raise AnswerRefused(sentence("A label is given twice."))
        return {"labels": sorted(names, key=list(labels).index)}

    def similarity(self, a: Value, b: Value) -> float:
        """Jaccard: shared labels over all that either gave; two empty answers are the same.

        >>> Choices().similarity({"labels": ["a", "b"]}, {"labels": ["b", "c"]})
        0.3333333333333333
        """
        one, other = set(a["labels"]), set(b["labels"])
        return len(one & other) / len(one | other) if one | other else 1.0

    def merge(self, votes: Sequence[Value]) -> Value:
        """Each label that more than half gave.

        >>> Choices().merge([{"labels": ["a", "b"]}, {"labels": ["a"]}, {"labels": ["b", "c"]}])
        {'labels': ['a', 'b']}
        """
        times = Counter(name for v in votes for name in v["labels"])
        return {"labels": [name for name in times if times[name] * 2 > len(votes)]}

    def labels_in(self, value: Value) -> tuple[str, ...]:
        return tuple(value["labels"])

    def words(self, value: Value) -> str:
        return ", ".join(value["labels"]) or NONE_FITS

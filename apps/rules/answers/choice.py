"""One label of the schema. Pairwise preference is this too: its labels are the two sides, a tie, and both bad."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.rules.answers.kinds import AnswerKind, AnswerRefused, Value, known_label
from apps.rules.sentences import sentence


@dataclass(frozen=True)
class Choice(AnswerKind):
    name: str = "choice"
    title: str = "One label"
    key: str = "label"
    structured: bool = False
    in_bulk: bool = True

    def check(self, given: Mapping[str, Any], *, labels: Sequence[str], fields: Mapping[str, Any]) -> Value:
        """
        >>> Choice().check({"label": "ham"}, labels=["ham", "spam"], fields={})
        {'label': 'ham'}
        """
        if set(given) != {"label"}:
            raise AnswerRefused(sentence("The answer must be an object with one “label”."))
        return {"label": known_label(given["label"], labels)}

    def similarity(self, a: Value, b: Value) -> float:
        return float(a == b)

    def merge(self, votes: Sequence[Value]) -> Value:
        """The most frequent label; of equally frequent ones the first given."""
        return {"label": Counter(str(v["label"]) for v in votes).most_common(1)[0][0]}

    def labels_in(self, value: Value) -> tuple[str, ...]:
        return (str(value["label"]),)

    def words(self, value: Value) -> str:
        return str(value["label"])

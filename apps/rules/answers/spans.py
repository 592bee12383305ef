"""Named stretches of a text (NER). They do not overlap, so that CoNLL can carry them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from apps.rules.answers.kinds import AnswerKind, AnswerRefused, Value, known_label, listed, unique
from apps.rules.sentences import sentence

MOST_SPANS = 2000
Span = tuple[int, int, str]


@dataclass(frozen=True)
class Spans(AnswerKind):
    name: str = "spans"
    title: str = "Named spans of a text"
    key: str = "spans"

    def check(self, given: Mapping[str, Any], *, labels: Sequence[str], fields: Mapping[str, Any]) -> Value:
        """Spans in the order of the text; `start` counts code points from 0, `end` is exclusive.

        >>> Spans().check({"spans": [{"start": 0, "end": 3, "label": "PER"}]}, labels=["PER"], fields={"text": "Ada!"})
        {'spans': [{'start': 0, 'end': 3, 'label': 'PER'}]}
        """
        text = str(fields.get("text", ""))
        spans = sorted(_span(x, labels, text) for x in listed(given, self.key, MOST_SPANS))
        for (start, end, label), (following, _, other) in pairwise(spans):
            if following < end:
                first, second = f"“{text[start:end][:40]}” ({label})", f"{other} at character {following}"
                raise AnswerRefused(
                    sentence(
                        "The spans {first} and {second} overlap. A character belongs to one span.",
                        first=first,
                        second=second,
                    )
                )
        return {"spans": [{"start": start, "end": end, "label": label} for start, end, label in spans]}

    def similarity(self, a: Value, b: Value) -> float:
        """F1 of exactly equal spans; two answers without spans are the same."""
        one, other = set(_triples(a)), set(_triples(b))
        return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0

    def merge(self, votes: Sequence[Value]) -> Value:
        """Each span that more than half drew; two such spans cannot overlap, since somebody would have drawn both."""
        times = Counter(span for v in votes for span in _triples(v))
        kept = sorted(span for span, n in times.items() if n * 2 > len(votes))
        return {"spans": [{"start": start, "end": end, "label": label} for start, end, label in kept]}

    def labels_in(self, value: Value) -> tuple[str, ...]:
        return unique([label for _, _, label in _triples(value)])

    def words(self, value: Value) -> str:
        times = Counter(label for _, _, label in _triples(value))
        return ", ".join(f"{n} {label}" for label, n in times.items()) or "no spans"


def _triples(value: Value) -> list[Span]:
    return [(s["start"], s["end"], s["label"]) for s in value["spans"]]


def _span(given: Any, labels: Sequence[str], text: str) -> Span:
    if not isinstance(given, Mapping) or set(given) != {"start", "end", "label"}:
        raise AnswerRefused(sentence("Each span must be an object with “start”, “end” and “label”."))
    start, end = given["start"], given["end"]
    if type(start) is not int or type(end) is not int:
        raise AnswerRefused(sentence("The start and end of a span are whole numbers of characters."))
    if not 0 <= start < end <= len(text):
        raise AnswerRefused(
            sentence(
                "The span from {start} to {end} does not lie in the text of {length:,} characters.",
                start=start,
                end=end,
                length=len(text),
            )
        )
    if not text[start:end].strip():
        raise AnswerRefused(sentence("The span from {start} to {end} holds only blanks.", start=start, end=end))
    return start, end, known_label(given["label"], labels)

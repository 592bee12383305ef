"""What a file can say of one example, whatever the format: the neutral form between every reader and every writer.

A row of a table (JSONL, CSV, Parquet) is flat: `id`, what the example shows, `label`, and dotted columns for the rest:
`answer.value`, `prediction.model` and so on. A document (Label Studio, COCO, CoNLL) is read into the same names, with
lists `answers` and `predictions` where an example has several.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.labeling.models import ErrorKind, SkipReason
from apps.projects.task_types import PayloadRefused
from apps.rules.answers import AnswerKind, AnswerRefused, Value
from apps.rules.sentences import sentence, words_of
from apps.rules.values import moment_of, nested_of, whole
from apps.transfer.sizes import SAID, in_own_pixels

ANSWER = (
    "by",
    "value",
    "skip",
    "comment",
    "flagged",
    "error_kind",
    "lane",
    "suggestion",
    "suggestion_confidence",
    "suggestion_source",
    "active_ms",
    "shown_at",
    "at",
    "guidelines",
    "run",
    "surplus",
    "id",
)
PREDICTION = ("value", "confidence", "model", "at")
LABEL = ("source", "lane", "confidence", "shown_at", "at")  # written; of what is read only `label` counts
GOLD = ("value", "explanation")
ABOUT = ("holdout",)
# The dotted columns of a table: where one of them stands in a header, we wrote the file.
COLUMNS = frozenset(
    f"{group}.{name}"
    for group, names in (
        ("answer", ANSWER),
        ("prediction", PREDICTION),
        ("label", LABEL),
        ("gold", GOLD),
        ("example", ABOUT),
    )
    for name in names
)
LISTS = ("answers", "predictions")
MOST_MODEL = 80  # characters of a model's name


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer by one person. `value` is None for a skip; what is not said is None or empty."""

    by: str
    value: Value | None
    skip: str = ""
    comment: str = ""
    flagged: bool = False
    error_kind: str = ""
    lane: str = ""
    suggestion: Value | None = None
    suggestion_confidence: float | None = None
    suggestion_source: str = ""
    active_ms: int = 0
    shown_at: datetime | None = None
    at: datetime | None = None
    guidelines: int | None = None
    run: int | None = None
    surplus: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a model said."""

    value: Value
    model: str
    confidence: float | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowAnswers:
    """Everything that one row says of its example."""

    label: Value | None = None
    gold: Value | None = None
    gold_explanation: str = ""
    answers: tuple[Answered, ...] = ()
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True)
class RowReader:
    """How the values of one project are read: its kind of answer, its labels, and what the example shows."""

    kind: AnswerKind
    labels: tuple[str, ...]
    fields: Mapping[str, Any]
    now: datetime

    def value(self, given: Any) -> Value:
        """A checked value from any of its spellings. Raises PayloadRefused."""
        try:
            spelled = spelled_out(self.kind, given)
            if SAID in spelled:
                spelled = in_own_pixels(spelled, self.fields)
            return self.kind.check(spelled, labels=self.labels, fields=self.fields)
        except AnswerRefused as refused:
            raise PayloadRefused(words_of(refused)) from refused


def spelled_out(kind: AnswerKind, given: Any) -> dict[str, Any]:
    """A label's name, a bare list or JSON text become the object that the kind of answer checks."""
    if not kind.structured:
        return dict(given) if isinstance(given, Mapping) else {kind.key: _name(given)}
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as cause:
            raise PayloadRefused(sentence("The value is not JSON: {fault}.", fault=str(cause)[:200])) from cause
    if isinstance(given, list):
        return {kind.key: given}
    if not isinstance(given, Mapping):
        raise PayloadRefused(sentence("The value must be an object with one list, “{key}”.", key=kind.key))
    return dict(given)


def _name(given: Any) -> str:
    """A label as a table has it: text, or a number as whoever wrote the column meant it. Raises PayloadRefused."""
    if isinstance(given, list | tuple | set):
        raise PayloadRefused(sentence("The label is a list; this project gives an example one label."))
    if isinstance(given, float) and given.is_integer():
        return str(int(given))
    return given.strip() if isinstance(given, str) else str(nested_of(given, "label"))


def compact(value: Value | None) -> Any:
    """As a table writes it: one label by its bare name, every other kind as its object."""
    return value["label"] if value is not None and set(value) == {"label"} else value


def split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A row without what it says beside the example, and that, by name; what is empty is left out."""
    shown, beside = dict[str, Any](), dict[str, Any]()
    for name, value in values.items():
        named = name in COLUMNS or name == "label" or (name in LISTS and _objects(value))
        if not named:
            shown[name] = value
        elif not _empty(value):
            beside[name] = value
    return shown, beside


def _empty(value: Any) -> bool:
    """Nothing, an empty text, an empty list, and what is not a number: a column of numbers with gaps has these."""
    return value is None or value == [] or value != value or (isinstance(value, str) and not value.strip())


def _objects(value: Any) -> bool:
    """A feature of a table is never a list of objects, so that one called “answers” stays a feature."""
    return isinstance(value, list) and all(isinstance(x, Mapping) for x in value)


def said_in(beside: Mapping[str, Any], reading: RowReader) -> RowAnswers:
    """The checked form of what `split` found. Raises PayloadRefused with a sentence for the first fault."""
    answers = [_group(beside, "answer"), *beside.get("answers", [])]
    guesses = [_group(beside, "prediction"), *beside.get("predictions", [])]
    gold = beside.get("gold.value")
    return RowAnswers(
        label=reading.value(beside["label"]) if "label" in beside else None,
        gold=reading.value(gold) if gold is not None else None,
        gold_explanation=_text(beside, "gold.explanation"),
        answers=tuple(answered(x, reading) for x in answers if x),
        guesses=tuple(guess(x, reading) for x in guesses if x),
    )


def _group(beside: Mapping[str, Any], group: str) -> dict[str, Any]:
    return {name.split(".", 1)[1]: value for name, value in beside.items() if name.startswith(f"{group}.")}


def answered(given: Mapping[str, Any], reading: RowReader) -> Answered:
    value, skip = given.get("value"), _text(given, "skip")
    if _empty(value) == (not skip):
        raise PayloadRefused(sentence("An answer is either a value or a reason to skip."))
    if skip and skip not in SkipReason.values:
        raise PayloadRefused(
            sentence("The reason “{value}” is not one of {known}.", value=skip[:40], known=", ".join(SkipReason.values))
        )
    if _text(given, "error_kind") not in ("", *ErrorKind.values):
        raise PayloadRefused(sentence("The kind of error is one of {known}.", known=", ".join(ErrorKind.values)))
    suggestion = given.get("suggestion")
    return Answered(
        by=_text(given, "by"),
        value=None if skip else reading.value(value),
        skip=skip,
        comment=_text(given, "comment"),
        flagged=_truth(given, "flagged"),
        error_kind=_text(given, "error_kind"),
        lane=_text(given, "lane")[:8],
        suggestion=None if _empty(suggestion) else reading.value(suggestion),
        suggestion_confidence=_share(given, "suggestion_confidence"),
        suggestion_source=_text(given, "suggestion_source")[:MOST_MODEL],
        active_ms=_whole(given, "active_ms") or 0,
        shown_at=moment_of(given.get("shown_at"), now=reading.now, name="“shown_at”"),
        at=moment_of(given.get("at"), now=reading.now, name="“at”"),
        guidelines=_whole(given, "guidelines"),
        run=_whole(given, "run"),
        surplus=_truth(given, "surplus"),
        id=_text(given, "id")[:80],
    )


def guess(given: Mapping[str, Any], reading: RowReader) -> Guess:
    if _empty(given.get("value")):
        raise PayloadRefused(sentence("A prediction needs its value."))
    model = _text(given, "model").strip()
    if len(model) > MOST_MODEL:
        raise PayloadRefused(
            sentence(
                "The model’s name has {length} characters; at most {most} fit.", length=len(model), most=MOST_MODEL
            )
        )
    at = moment_of(given.get("at"), now=reading.now, name="“at”")
    return Guess(reading.value(given["value"]), model or "imported", _share(given, "confidence"), at)


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return "" if _empty(value) else whole(str(nested_of(value, name)), f"“{name}”")


def _truth(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name)
    word = value.strip().lower() if isinstance(value, str) else value
    if _empty(word) or word in (False, 0, "false", "0", "no"):
        return False
    if word in (True, 1, "true", "1", "yes"):
        return True
    raise PayloadRefused(sentence("“{name}” is true or false.", name=name))


def _whole(given: Mapping[str, Any], name: str) -> int | None:
    value = given.get(name)
    if _empty(value):
        return None
    try:
        number = int(value) if isinstance(value, float) and value.is_integer() else int(str(value))
    except ValueError:
        raise PayloadRefused(sentence("“{name}” is a whole number.", name=name)) from None
    if not 0 <= number < 2**31:
        raise PayloadRefused(sentence("“{name}” is a whole number from 0 to 2,147,483,647.", name=name))
    return number


def _share(given: Mapping[str, Any], name: str) -> float | None:
    value = given.get(name)
    if _empty(value):
        return None
    try:
        number = float(str(value))
    except ValueError:
        raise PayloadRefused(sentence("“{name}” is a number from 0 to 1.", name=name)) from None
    if not 0 <= number <= 1:
        raise PayloadRefused(sentence("“{name}” is a number from 0 to 1.", name=name))
    return number

"""Why a person sees an example: plain numbers that a database can keep, and the sentence made of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from apps.rules.words import percent

Floats = NDArray[np.floating]
Reason = dict[str, float | int | str]
# With holes to fill, so that whoever shows them can say them in another language first.
TEMPLATES = {
    # chosen without asking the model, so what the model says is no reason
    "random": "Drawn at random, whatever the model thinks.",
    "typicality": "It stands for many examples like it that have few labels or none.",
    "core-set": "It is unlike everything that has a label.",
    "no-model": "No model has been trained yet, so this one was drawn at random.",
    "unscored": "The model gives no usable probability here, so this example waited for the others.",
    "least-confidence": "The model's first guess is {first}, and it is only {first_p} sure.",
    "bald": "Versions of the model contradict each other here; together they lean to {first}, {first_p}.",
    "class-quota": "Among the examples that the model takes for {first}, this is one of the least certain, {first_p}.",
    "badge": "The model guesses {first}, {first_p}, and an answer here would teach it something of its own.",
    "entropy": "The model is torn between many labels: {first} leads with {first_p}, {second} follows with {second_p}.",
    "margin-clusters": "The model hesitates between {first} and {second}, {first_p} against {second_p}, "
    "and this example stands for others like it.",
    "margin": "The model hesitates between {first} and {second}, {first_p} against {second_p}.",
}
OF_THE_POOL = ("random", "typicality", "core-set")


def reason_of(strategy: str, row: Floats | None) -> Reason:
    """`row` (classes,) are the model's probabilities, None without a model, not finite where it could not say."""
    if row is None or not len(row):
        return {"strategy": strategy}
    if not np.isfinite(row).all():
        return {"strategy": strategy, "unscored": 1}
    first = int(row.argmax())
    reason: Reason = {"strategy": strategy, "first": first, "first_p": round(float(row[first]), 4)}
    if len(row) > 1:
        second = _second(row, first)
        reason |= {"second": second, "second_p": round(float(row[second]), 4)}
    return reason


def _second(row: Floats, first: int) -> int:
    rest = row.copy()
    rest[first] = -np.inf
    return int(rest.argmax())


def reason_template(reason: Mapping[str, float | int | str], label_names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Why a person sees this example: a sentence with holes, and what fills them."""
    strategy = str(reason["strategy"])
    if strategy in OF_THE_POOL:
        return TEMPLATES[strategy], {}
    if strategy == "no-model" or ("first" not in reason and "unscored" not in reason):
        return TEMPLATES["no-model"], {}
    if "unscored" in reason:
        return TEMPLATES["unscored"], {}
    filled = {"first": label_names[int(reason["first"])], "first_p": percent(float(reason["first_p"]))}
    if "second" not in reason:
        return TEMPLATES["least-confidence"], filled
    filled |= {"second": label_names[int(reason["second"])], "second_p": percent(float(reason["second_p"]))}
    return TEMPLATES.get(strategy, TEMPLATES["margin"]), filled


def reason_sentence(reason: Mapping[str, float | int | str], label_names: Sequence[str]) -> str:
    """Why a person sees this example, in one sentence.

    >>> reason_sentence({"strategy": "margin", "first": 0, "first_p": 0.41, "second": 1, "second_p": 0.38}, ["A", "B"])
    'The model hesitates between A and B, 41 % against 38 %.'
    """
    template, filled = reason_template(reason, label_names)
    return template.format(**filled)

"""Why a person sees an example: plain numbers that a database can keep, and the sentence made of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from apps.rules.words import percent

Floats = NDArray[np.floating]
Reason = dict[str, float | int | str]
OF_THE_POOL = {  # chosen without asking the model, so what the model says is no reason
    "random": "Drawn at random, whatever the model thinks.",
    "typicality": "It stands for many examples like it that have few labels or none.",
    "core-set": "It is unlike everything that has a label.",
}


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


def reason_sentence(reason: Mapping[str, float | int | str], label_names: Sequence[str]) -> str:
    """Why a person sees this example, in one sentence.

    >>> reason_sentence({"strategy": "margin", "first": 0, "first_p": 0.41, "second": 1, "second_p": 0.38}, ["A", "B"])
    'The model hesitates between A and B, 41 % against 38 %.'
    """
    strategy = reason["strategy"]
    if strategy in OF_THE_POOL:
        return OF_THE_POOL[str(strategy)]
    if strategy == "no-model" or ("first" not in reason and "unscored" not in reason):
        return "No model has been trained yet, so this one was drawn at random."
    if "unscored" in reason:
        return "The model gives no usable probability here, so this example waited for the others."
    first, first_p = label_names[int(reason["first"])], percent(float(reason["first_p"]))
    if strategy == "least-confidence" or "second" not in reason:
        return f"The model's first guess is {first}, and it is only {first_p} sure."
    if strategy == "bald":
        return f"Versions of the model contradict each other here; together they lean to {first}, {first_p}."
    if strategy == "class-quota":
        return f"Among the examples that the model takes for {first}, this is one of the least certain, {first_p}."
    if strategy == "badge":
        return f"The model guesses {first}, {first_p}, and an answer here would teach it something of its own."
    second, second_p = label_names[int(reason["second"])], percent(float(reason["second_p"]))
    if strategy == "entropy":
        return f"The model is torn between many labels: {first} leads with {first_p}, {second} follows with {second_p}."
    close_call = f"The model hesitates between {first} and {second}, {first_p} against {second_p}"
    if strategy == "margin-clusters":
        return f"{close_call}, and this example stands for others like it."
    return f"{close_call}."

"""Why a person sees an example: plain numbers that a database can keep, and the sentence made of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.registry import STRATEGIES, UNSURE
from apps.rules.words import percent

Floats = NDArray[np.floating]
Reason = dict[str, float | int | str]
NO_STRATEGY = "no-model"  # what a reason names where none could choose
# With holes to fill, so that whoever shows them can say them in another language first. A strategy brings its own.
NO_MODEL = "No model has been trained yet, so this one was drawn at random."
UNSCORED = "The model gives no usable probability here, so this example waited for the others."
UNINSTALLED = "It was chosen by the strategy “{strategy}”, which is no longer installed."


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
    name = str(reason["strategy"])
    strategy = STRATEGIES.get(name)
    if strategy is not None and not strategy.asks_model:
        return strategy.sentence, {}  # what the model says is no reason
    if name == NO_STRATEGY or ("first" not in reason and "unscored" not in reason):
        return NO_MODEL, {}
    if "unscored" in reason:
        return UNSCORED, {}
    if strategy is None:
        return UNINSTALLED, {"strategy": name}
    filled = {"first": label_names[int(reason["first"])], "first_p": percent(float(reason["first_p"]))}
    if "second" not in reason:
        return UNSURE, filled
    filled |= {"second": label_names[int(reason["second"])], "second_p": percent(float(reason["second_p"]))}
    return strategy.sentence, filled


def reason_sentence(reason: Mapping[str, float | int | str], label_names: Sequence[str]) -> str:
    """Why a person sees this example, in one sentence.

    >>> reason_sentence({"strategy": "margin", "first": 0, "first_p": 0.41, "second": 1, "second_p": 0.38}, ["A", "B"])
    'The model hesitates between A and B, 41 % against 38 %.'
    """
    template, filled = reason_template(reason, label_names)
    return template.format(**filled)

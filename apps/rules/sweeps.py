"""Which settings of a recipe a sweep may vary, between which values, and what is tried when nobody says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and largest value that is not absurd; `whole` for counts."""

    low: float
    high: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """What one sweep tries of one setting. On a logarithmic scale 0.001 to 0.1 has as much below 0.01 as above."""

    low: float
    high: float
    log: bool = False


# As in the recipe, which knows torch and is therefore out of the web's reach; a test holds the two together.
SETTINGS: dict[str, Bounds] = {
    "learning_rate": Bounds(1e-7, 1.0),
    "weight_decay": Bounds(0, 1.0),
    "dropout": Bounds(0, 0.9),
    "label_smoothing": Bounds(0, 0.5),
    "hidden": Bounds(0, 4096, whole=True),
    "batch_size": Bounds(1, 65536, whole=True),
    "epochs": Bounds(1, 1000, whole=True),
    "clip_norm": Bounds(1e-3, 1000),
}
DEFAULT_SPACE: dict[str, Span] = {  # around the defaults of a full run, a factor of five each way where it matters most
    "learning_rate": Span(4e-4, 2e-2, log=True),
    "weight_decay": Span(1e-3, 1e-1, log=True),
    "dropout": Span(0.0, 0.6),
    "hidden": Span(64, 1024, log=True),
}
TRIALS = (2, 500)  # one has nothing to be compared with; more than 500 no surrogate of this kind makes use of
DEFAULT_TRIALS = 20
LEAST_LABELS = 100  # a fifth of them is held back to compare the trials; fewer than 20 rows cannot


def fault_of(name: str, span: Span) -> tuple[str, Mapping[str, object]] | None:
    """The code of what is wrong with one setting, and what its sentence names; None where nothing is.

    >>> fault_of("dropout", Span(0.5, 0.1))
    ('order', {'name': 'dropout', 'low': 0.5, 'high': 0.1})
    >>> fault_of("hidden", Span(64, 512, log=True)) is None
    True
    """
    bounds = SETTINGS.get(name)
    if bounds is None:
        return "unknown", {"name": name, "known": ", ".join(SETTINGS)}
    said = {"name": name, "low": span.low, "high": span.high}
    if not span.low < span.high:  # also refuses NaN
        return "order", said
    if span.low < bounds.low or span.high > bounds.high:
        return "range", {"name": name, "low": bounds.low, "high": bounds.high}
    if bounds.whole and (span.low % 1 or span.high % 1):
        return "whole", said
    if span.log and span.low <= 0:
        return "log", said
    return None

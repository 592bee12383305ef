"""What a monitor is: two sets of predictions in, their distance and the distances that chance alone would make out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Predictions:
    """First labels (n,) as class indices, and their probabilities (n,)."""

    classes: Ints
    confidences: Floats


@dataclass(frozen=True, slots=True)
class MonitorComparison:
    """What a monitor compares: what the champion said of the holdout, and a window of what it served.

    `draws` is how many distances by chance are wanted, all of them drawn from `rng`; `labels` are the names of the
    class indices.
    """

    reference: Predictions
    window: Predictions
    draws: int
    rng: np.random.Generator
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Distance:
    """`value` from 0 (the same) to 1; `by_chance` (draws,) between samples of the reference alone; what moved, in words."""

    value: float
    by_chance: Floats
    reason: str


@dataclass(frozen=True, slots=True)
class DriftMonitor:
    """One feature of the predictions that is watched."""

    name: str
    title: str
    distance: Callable[[MonitorComparison], Distance]

"""Whether a model's answers changed since it was measured. It sees predictions only; loss drift needs labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from apps.rules.words import count, percent

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]


class DriftOutcome(StrEnum):
    NONE = "none"
    DRIFT = "drift"
    TOO_FEW = "too-few"


@dataclass(frozen=True, slots=True)
class Predictions:
    """First labels (n,) as class indices, and their probabilities (n,)."""

    classes: Ints
    confidences: Floats


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """A distance between 0 and 1, and the threshold that undrifted windows rarely pass."""

    name: str
    title: str
    distance: float
    threshold: float
    drifted: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Drift:
    outcome: DriftOutcome
    features: tuple[FeatureDrift, ...]
    reasons: tuple[str, ...]
    n_reference: int
    n_window: int


def check(
    reference: Predictions,
    window: Predictions,
    *,
    alpha: float,
    seed: int,
    draws: int = 500,
    least: int = 50,
    labels: Sequence[str] = (),
) -> Drift:
    """Compare a window of served predictions with the champion's predictions on the holdout.

    Thresholds come from the reference itself: both sets are drawn from it again, at their sizes, `draws` times, and
    each of the two features may pass its threshold in alpha / 2 of the draws (Bonferroni), so that an undrifted window
    alarms with a chance of about alpha.
    """
    n_reference, n_window = len(reference.classes), len(window.classes)
    if min(n_reference, n_window) < least:
        return Drift(DriftOutcome.TOO_FEW, (), (_too_few(n_reference, n_window, least),), n_reference, n_window)
    rng = np.random.default_rng(seed)
    quantile = 1 - alpha / 2
    features = (
        _class_mix(reference, window, quantile, draws, rng, labels),
        _confidence(reference, window, quantile, draws, rng),
    )
    reasons = tuple(feature.reason for feature in features if feature.drifted)
    outcome = DriftOutcome.DRIFT if reasons else DriftOutcome.NONE
    return Drift(outcome, features, reasons or ("Predictions look like those on the holdout.",), n_reference, n_window)


def total_variation(left: Floats, right: Floats) -> Floats:
    """Half the summed difference of two mixes: (..., classes), (..., classes) -> (...)."""
    return np.asarray(np.abs(left - right).sum(axis=-1) / 2)


def kolmogorov_smirnov(left: Floats, right: Floats) -> float:
    """Largest gap between two empirical distributions: (n,), (m,) -> scalar."""
    left, right = np.sort(left), np.sort(right)
    places = np.concatenate([left, right])
    below_left = np.searchsorted(left, places, side="right") / len(left)
    below_right = np.searchsorted(right, places, side="right") / len(right)
    return float(np.abs(below_left - below_right).max())


def _class_mix(
    reference: Predictions,
    window: Predictions,
    quantile: float,
    draws: int,
    rng: np.random.Generator,
    labels: Sequence[str],
) -> FeatureDrift:
    n, m = len(reference.classes), len(window.classes)
    width = int(max(reference.classes.max(), window.classes.max())) + 1
    before = np.bincount(reference.classes, minlength=width) / n
    now = np.bincount(window.classes, minlength=width) / m
    chance = total_variation(rng.multinomial(n, before, draws) / n, rng.multinomial(m, before, draws) / m)
    moved = int(np.abs(now - before).argmax())
    label = labels[moved] if moved < len(labels) else f"label {moved}"
    reason = f"\u201c{label}\u201d went from {percent(before[moved])} to {percent(now[moved])} of predictions"
    return _feature("class_mix", "Class mix", float(total_variation(before, now)), chance, quantile, reason)


def _confidence(
    reference: Predictions, window: Predictions, quantile: float, draws: int, rng: np.random.Generator
) -> FeatureDrift:
    atoms, index = np.unique(reference.confidences, return_inverse=True)
    n, m = len(index), len(window.confidences)
    chance = np.array([_chance_gap(index, n, m, len(atoms), rng) for _ in range(draws)])
    distance = kolmogorov_smirnov(reference.confidences, window.confidences)
    before, now = float(np.median(reference.confidences)), float(np.median(window.confidences))
    reason = f"The middle confidence went from {percent(before)} to {percent(now)}"
    return _feature("confidence", "Confidence", distance, chance, quantile, reason)


def _chance_gap(index: NDArray[np.intp], n: int, m: int, atoms: int, rng: np.random.Generator) -> float:
    """The Kolmogorov-Smirnov distance of two samples drawn from the same reference, by its sorted distinct values."""
    left = np.bincount(index[rng.integers(n, size=n)], minlength=atoms) / n
    right = np.bincount(index[rng.integers(n, size=m)], minlength=atoms) / m
    return float(np.abs(np.cumsum(left - right)).max())


def _feature(name: str, title: str, distance: float, chance: Floats, quantile: float, reason: str) -> FeatureDrift:
    threshold = float(np.quantile(chance, quantile, method="higher"))
    return FeatureDrift(name, title, distance, threshold, distance > threshold, reason)


def _too_few(n_reference: int, n_window: int, least: int) -> str:
    if n_window < least:
        return f"Only {count(n_window, 'prediction')} in the window; {least} are needed to tell."
    return f"Only {count(n_reference, 'prediction')} on the holdout; {least} are needed to tell."

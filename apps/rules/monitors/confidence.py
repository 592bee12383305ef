"""How sure the model is of what it predicts."""

import numpy as np
from numpy.typing import NDArray

from apps.rules.monitors.monitor import Distance, DriftMonitor, Floats, MonitorComparison
from apps.rules.sentences import sentence
from apps.rules.words import percent


def kolmogorov_smirnov(left: Floats, right: Floats) -> float:
    """Largest gap between two empirical distributions: (n,), (m,) -> scalar."""
    left, right = np.sort(left), np.sort(right)
    places = np.concatenate([left, right])
    below_left = np.searchsorted(left, places, side="right") / len(left)
    below_right = np.searchsorted(right, places, side="right") / len(right)
    return float(np.abs(below_left - below_right).max())


def _distance(of: MonitorComparison) -> Distance:
    reference, window = of.reference.confidences, of.window.confidences
    atoms, index = np.unique(reference, return_inverse=True)
    n, m = len(index), len(window)
    by_chance = np.array([_chance_gap(index, n, m, len(atoms), of.rng) for _ in range(of.draws)])
    before, now = float(np.median(reference)), float(np.median(window))
    reason = sentence(
        "Half of the answers now claim at least {now} ({before} before)", now=percent(now), before=percent(before)
    )
    return Distance(kolmogorov_smirnov(reference, window), by_chance, reason)


def _chance_gap(index: NDArray[np.intp], n: int, m: int, atoms: int, rng: np.random.Generator) -> float:
    """The Kolmogorov-Smirnov distance of two samples drawn from the same reference, by its sorted distinct values."""
    left = np.bincount(index[rng.integers(n, size=n)], minlength=atoms) / n
    right = np.bincount(index[rng.integers(n, size=m)], minlength=atoms) / m
    return float(np.abs(np.cumsum(left - right)).max())


CONFIDENCE = DriftMonitor("confidence", "Confidence", _distance)

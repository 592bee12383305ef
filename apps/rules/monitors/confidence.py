"""How sure the model is of what it predicts."""

import numpy as np

from apps.rules.monitors.evidence import Floats, MonitorEvidence
from apps.rules.monitors.few import enough
from apps.rules.monitors.monitor import Chance, DriftMonitor, FeatureMeasure, RowsParameters
from apps.rules.monitors.nearest import by_confidence
from apps.rules.sentences import sentence
from apps.rules.words import percent

BANDS = 20  # of confidence, for the picture


def kolmogorov_smirnov(left: Floats, right: Floats) -> float:
    """Largest gap between two empirical distributions: (n,), (m,) -> scalar."""
    left, right = np.sort(left), np.sort(right)
    places = np.concatenate([left, right])
    below_left = np.searchsorted(left, places, side="right") / len(left)
    below_right = np.searchsorted(right, places, side="right") / len(right)
    return float(np.abs(below_left - below_right).max())


def _measure(of: MonitorEvidence, parameters: RowsParameters, chance: Chance) -> list[FeatureMeasure]:
    enough(of, parameters.least_rows)
    reference, window = of.reference.confidences, of.window.confidences
    before, now = float(np.median(reference)), float(np.median(window))
    reason = sentence(
        "Half of the answers now claim at least {now} ({before} before)", now=percent(now), before=percent(before)
    )
    return [measured("confidence", reference, window, reason, chance)]


def measured(name: str, reference: Floats, window: Floats, reason: str, chance: Chance) -> FeatureMeasure:
    """Shares between 0 and 1, (n,) and (m,), by Kolmogorov and Smirnov's distance; undrifted windows are drawn from the reference,
    which is drawn anew too."""
    atoms, index = np.unique(reference, return_inverse=True)
    n, m, rng = len(index), len(window), chance.rng
    by_chance = np.empty((chance.draws, chance.windows))
    for draw in range(chance.draws):
        left = np.bincount(index[rng.integers(n, size=n)], minlength=len(atoms)) / n
        for place in range(chance.windows):
            right = np.bincount(index[rng.integers(n, size=m)], minlength=len(atoms)) / m
            by_chance[draw, place] = np.abs(np.cumsum(left - right)).max()
    value = kolmogorov_smirnov(reference, window)
    return FeatureMeasure(name, value, reason, by_chance=by_chance, parts=_bands(reference, window))


def _bands(reference: Floats, window: Floats) -> dict[str, list[object]]:
    edges = np.linspace(0, 1, BANDS + 1)
    counted = [np.histogram(np.clip(each, 0, 1), edges)[0] / len(each) for each in (reference, window)]
    names = [f"{100 * low:.0f} %" for low in edges[:-1]]
    return {"names": names, "reference": counted[0].tolist(), "window": counted[1].tolist()}


CONFIDENCE = DriftMonitor("confidence", "Confidence", _measure, standing=True, nearest=by_confidence)

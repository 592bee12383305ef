"""Whether a window is raised, at a stated chance of a false alarm: chances of features, Benjamini-Hochberg over them, persistence.

The chance of a false alarm holds for the whole pattern "k of the newest n windows": windows share one reference, so they are not
independent, and the pattern itself is drawn.
"""

from collections.abc import Sequence
from math import log10

import numpy as np

from apps.rules.monitors.evidence import Floats
from apps.rules.monitors.monitor import Chance, FeatureMeasure, FeatureReading, WindowJudgment, WindowTarget

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of a monitor's share of the budget, for which a reading keeps its threshold
TAIL = 0.05  # of the drawn values; beyond them chances follow an exponential through their mean excess
SURE = 20  # drawn patterns that a level rests on; below, it falls in proportion to what is allowed, which is on the safe side
LEAST_CHANCE = 1e-12


def chance_for(target: WindowTarget) -> Chance:
    return Chance(target.draws, target.of_windows, np.random.default_rng(target.seed))


def chance_of(value: float, by_chance: Floats) -> float:
    """How often an undrifted window has a value as high: (draws,) -> p, also beyond all that were drawn."""
    drawn = np.sort(by_chance)
    n = len(drawn)
    counted = (1 + int((drawn >= value - 1e-12).sum())) / (n + 1)
    if counted > TAIL or n < 40:
        return counted
    start = drawn[int((1 - TAIL) * n)]
    excess = drawn[drawn > start] - start
    mean = float(excess.mean()) if len(excess) else 0.0
    if mean <= 0:
        return counted
    return float(max(min(counted, TAIL * np.exp(-(value - start) / mean)), LEAST_CHANCE))


def simes(chances: Floats) -> Floats:
    """The chance of a window by those of its features: Benjamini-Hochberg finds one at a level from here on. (..., k) -> (...)."""
    k = chances.shape[-1]
    return np.asarray((np.sort(chances, axis=-1) * k / np.arange(1, k + 1)).min(axis=-1))


def windows_by_chance(features: Sequence[FeatureMeasure], windows: int) -> Floats | None:
    """The chances of undrifted windows in a row, (draws, windows); None where a feature's were not drawn."""
    drawn = []
    for feature in features:
        if feature.by_chance is None or feature.by_chance.shape[1] < windows:
            return None
        values = feature.by_chance[:, :windows]
        flat = np.sort(values, axis=None)
        as_high = flat.size - np.searchsorted(flat, values - 1e-12, side="left")
        drawn.append(as_high / flat.size)
    return simes(np.stack(drawn, axis=-1)) if drawn else None


def level_of(target: WindowTarget, by_chance: Floats | None, factor: float = 1.0) -> float:
    """The chance at which a window is raised, so that the pattern ends in an alarm `per_window` times a window.

    Never below `per_window`: the pattern is rarer than its last window.
    """
    allowed = min(target.per_window * factor, 1.0)
    if by_chance is None or target.raised_windows <= 1:
        return allowed
    newest, before = by_chance[:, -1], np.sort(by_chance[:, :-1], axis=1)
    pattern = np.sort(np.maximum(newest, before[:, target.raised_windows - 2]))
    share = max(allowed, SURE / (len(pattern) + 1))
    found = float(pattern[max(int(share * (len(pattern) + 1)) - 1, 0)])
    return min(max(found * allowed / share, allowed), 0.5)


def judged(features: Sequence[FeatureMeasure], target: WindowTarget, *, n_window: int = 0) -> WindowJudgment:
    """Of one window. Where it is raised, the features are those that Benjamini-Hochberg finds at its level."""
    from scipy.stats import false_discovery_control

    chances = np.array([_chance(feature) for feature in features])
    by_chance = windows_by_chance(features, target.of_windows)
    levels = {factor: level_of(target, by_chance, factor) for factor in FACTORS}
    level = levels[1.0]
    found = false_discovery_control(chances) <= level
    readings = tuple(
        FeatureReading(f.name, f.value, _threshold(f, level), float(p), bool(drifted), f.reason, f.parts)
        for f, p, drifted in zip(features, chances, found, strict=True)
    )
    thresholds = {factor: score_of(each) for factor, each in levels.items()}
    return WindowJudgment(score_of(float(simes(chances))), thresholds, readings, n_window)


def score_of(chance: float) -> float:
    """Zeros behind the point: 2 for one in a hundred."""
    return -log10(max(chance, LEAST_CHANCE))


def _chance(feature: FeatureMeasure) -> float:
    if feature.p_value is not None:
        return min(max(feature.p_value, LEAST_CHANCE), 1.0)
    assert feature.by_chance is not None, f"{feature.name} has neither a chance nor values by chance"
    return chance_of(feature.value, feature.by_chance[:, 0])


def _threshold(feature: FeatureMeasure, level: float) -> float | None:
    """What the feature alone would have to reach."""
    if feature.by_chance is None:
        return None
    return float(np.quantile(feature.by_chance[:, 0], max(1 - level, 0.0), method="higher"))


def persistent(raised: Sequence[bool], target: WindowTarget) -> bool:
    """Whether the newest window, the last, ends the pattern: it is raised, and enough of those before it are."""
    newest = list(raised)[-target.of_windows :]
    return bool(newest) and newest[-1] and sum(newest) >= target.raised_windows

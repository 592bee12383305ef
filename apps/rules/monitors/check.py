"""Whether a model's answers changed since it was measured: the standing monitors of predictions on one window of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

import numpy as np

from apps.rules.monitors.evidence import MonitorEvidence, MonitorNeed, Predictions
from apps.rules.monitors.few import enough
from apps.rules.monitors.monitor import CannotTell, Chance, DriftMonitor, FeatureMeasure, RowsParameters
from apps.rules.monitors.registry import MONITORS
from apps.rules.sentences import sentence

WINDOW = timedelta(hours=24)
MOST_IN_WINDOW = 5000  # the newest; more only makes ever smaller differences significant
ALPHA = 0.01  # false alarms a check, before an alert must be seen by a person
DRAWS = 500  # from the reference, for a threshold
LEAST = 50  # predictions on each side; below it every distance may be chance


class DriftOutcome(StrEnum):
    NONE = "none"
    DRIFT = "drift"
    TOO_FEW = "too-few"


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """A distance between 0 and 1, and the threshold that undrifted windows rarely pass."""

    name: str
    title: str
    distance: float
    threshold: float
    drifted: bool
    reason: str
    parts: Mapping[str, Any] = field(default_factory=dict)  # as of a FeatureMeasure


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
    alpha: float = ALPHA,
    seed: int,
    draws: int = DRAWS,
    least: int = LEAST,
    labels: Sequence[str] = (),
) -> Drift:
    """Compare a window of served predictions with the champion's predictions on the holdout.

    Thresholds come from the reference itself: both sets are drawn from it again, at their sizes, `draws` times, and
    each of k monitors may pass its threshold in alpha / k of the draws (Bonferroni), so that an undrifted window
    alarms with a chance of about alpha.
    """
    n_reference, n_window = len(reference), len(window)
    evidence = MonitorEvidence(reference, window, labels)
    try:
        enough(evidence, least)
    except CannotTell as few:
        return Drift(DriftOutcome.TOO_FEW, (), (few.args[0],), n_reference, n_window)
    looking = [each for each in MONITORS.values() if each.standing and each.needs == {MonitorNeed.PREDICTIONS}]
    chance = Chance(draws, 1, np.random.default_rng(seed))
    quantile = 1 - alpha / len(looking)
    features = tuple(
        _feature(monitor, measured, quantile)
        for monitor in looking
        for measured in monitor.measure(evidence, RowsParameters(least_rows=least), chance)
    )
    reasons = tuple(feature.reason for feature in features if feature.drifted)
    outcome = DriftOutcome.DRIFT if reasons else DriftOutcome.NONE
    return Drift(
        outcome, features, reasons or (sentence("Predictions look like those on the holdout."),), n_reference, n_window
    )


def _feature(monitor: DriftMonitor, measured: FeatureMeasure, quantile: float) -> FeatureDrift:
    assert measured.by_chance is not None, f"{monitor.name} has no values by chance"
    threshold = float(np.quantile(measured.by_chance[:, 0], quantile, method="higher"))
    drifted = measured.value > threshold
    return FeatureDrift(
        monitor.name, monitor.title, measured.value, threshold, drifted, measured.reason, measured.parts
    )

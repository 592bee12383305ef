"""Whether a model's answers changed since it was measured: all monitors on one window of predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np

from apps.rules.monitors.monitor import DriftMonitor, MonitorComparison, Predictions
from apps.rules.monitors.registry import MONITORS
from apps.rules.sentences import sentence
from apps.rules.words import count

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
    n_reference, n_window = len(reference.classes), len(window.classes)
    if min(n_reference, n_window) < least:
        return Drift(DriftOutcome.TOO_FEW, (), (_too_few(n_reference, n_window, least),), n_reference, n_window)
    comparison = MonitorComparison(reference, window, draws, np.random.default_rng(seed), labels)
    quantile = 1 - alpha / len(MONITORS)
    features = tuple(_feature(monitor, comparison, quantile) for monitor in MONITORS.values())
    reasons = tuple(feature.reason for feature in features if feature.drifted)
    outcome = DriftOutcome.DRIFT if reasons else DriftOutcome.NONE
    return Drift(
        outcome, features, reasons or (sentence("Predictions look like those on the holdout."),), n_reference, n_window
    )


def _feature(monitor: DriftMonitor, comparison: MonitorComparison, quantile: float) -> FeatureDrift:
    measured = monitor.distance(comparison)
    threshold = float(np.quantile(measured.by_chance, quantile, method="higher"))
    drifted = measured.value > threshold
    return FeatureDrift(monitor.name, monitor.title, measured.value, threshold, drifted, measured.reason)


def _too_few(n_reference: int, n_window: int, least: int) -> str:
    if n_window < least:
        return sentence(
            "Only {predictions} in the window; {least} are needed to tell.",
            predictions=count(n_window, "prediction"),
            least=least,
        )
    return sentence(
        "Only {predictions} on the holdout; {least} are needed to tell.",
        predictions=count(n_reference, "prediction"),
        least=least,
    )

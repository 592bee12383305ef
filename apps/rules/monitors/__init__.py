"""Whether a model's answers changed since it was measured. Monitors see predictions only; loss drift needs labels."""

from apps.rules.monitors.check import ALPHA, MOST_IN_WINDOW, WINDOW, Drift, DriftOutcome, FeatureDrift, check
from apps.rules.monitors.class_mix import total_variation
from apps.rules.monitors.confidence import kolmogorov_smirnov
from apps.rules.monitors.monitor import Distance, DriftMonitor, MonitorComparison, Predictions
from apps.rules.monitors.registry import MONITORS

__all__ = [
    "ALPHA",
    "MONITORS",
    "MOST_IN_WINDOW",
    "WINDOW",
    "Distance",
    "Drift",
    "DriftMonitor",
    "DriftOutcome",
    "FeatureDrift",
    "MonitorComparison",
    "Predictions",
    "check",
    "kolmogorov_smirnov",
    "total_variation",
]

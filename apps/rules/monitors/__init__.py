"""Whether what a model is asked, what it answers and how often it is wrong changed since it was measured, at a stated rate of
false alarms."""

from apps.rules.monitors.check import ALPHA, MOST_IN_WINDOW, WINDOW, Drift, DriftOutcome, FeatureDrift, check
from apps.rules.monitors.class_mix import total_variation
from apps.rules.monitors.confidence import kolmogorov_smirnov
from apps.rules.monitors.evidence import (
    ColumnPair,
    GroupPair,
    GroupRows,
    LossStream,
    MonitorEvidence,
    MonitorNeed,
    PastEstimate,
    Predictions,
    VectorPair,
    VolumeHistory,
)
from apps.rules.monitors.judging import judge_window
from apps.rules.monitors.monitor import (
    CannotTell,
    Chance,
    DriftMonitor,
    FeatureMeasure,
    FeatureReading,
    MonitorCause,
    MonitorParameters,
    NothingToRead,
    RowsParameters,
    Severity,
    WindowJudgment,
    WindowTarget,
)
from apps.rules.monitors.nearest import RequestSeen
from apps.rules.monitors.policy import (
    MonitorPolicy,
    MonitorSettings,
    expected_alarms,
    kept_monitor_policy,
    monitor_policy_of,
    monitor_policy_of_yaml,
    standing_monitors,
)
from apps.rules.monitors.registry import MONITORS

__all__ = [
    "ALPHA",
    "MONITORS",
    "MOST_IN_WINDOW",
    "WINDOW",
    "CannotTell",
    "Chance",
    "ColumnPair",
    "Drift",
    "DriftMonitor",
    "DriftOutcome",
    "FeatureDrift",
    "FeatureMeasure",
    "FeatureReading",
    "GroupPair",
    "GroupRows",
    "LossStream",
    "MonitorCause",
    "MonitorEvidence",
    "MonitorNeed",
    "MonitorParameters",
    "MonitorPolicy",
    "MonitorSettings",
    "NothingToRead",
    "PastEstimate",
    "Predictions",
    "RequestSeen",
    "RowsParameters",
    "Severity",
    "VectorPair",
    "VolumeHistory",
    "WindowJudgment",
    "WindowTarget",
    "check",
    "expected_alarms",
    "judge_window",
    "kept_monitor_policy",
    "kolmogorov_smirnov",
    "monitor_policy_of",
    "monitor_policy_of_yaml",
    "standing_monitors",
    "total_variation",
]

"""One monitor on one window: what it measured, and whether that is more than chance."""

from typing import Any

from apps.rules.monitors.calibration import chance_for, judged
from apps.rules.monitors.evidence import MonitorEvidence
from apps.rules.monitors.monitor import DriftMonitor, WindowJudgment, WindowTarget


def judge_window(monitor: DriftMonitor, of: MonitorEvidence, parameters: Any, target: WindowTarget) -> WindowJudgment:
    """Raises CannotTell or NothingToRead in words."""
    if monitor.judge is not None:
        return monitor.judge(of, parameters, target)
    features = list(monitor.measure(of, parameters, chance_for(target)))
    return judged(features, target, n_window=_rows(of, monitor))


def _rows(of: MonitorEvidence, monitor: DriftMonitor) -> int:
    """How many rows of the window were read."""
    if of.volume is not None and monitor.needs == frozenset({"volume"}):
        return of.volume.now
    if of.columns is not None and "columns" in monitor.needs:
        return of.columns.n_window
    if of.vectors is not None and "vectors" in monitor.needs:
        return len(of.vectors.window)
    if of.groups is not None and "groups" in monitor.needs:
        return len(of.groups.window.answered)
    return len(of.window)

"""Which labels are predicted how often."""

import numpy as np

from apps.rules.monitors.monitor import Distance, DriftMonitor, Floats, MonitorComparison
from apps.rules.sentences import sentence
from apps.rules.words import percent


def total_variation(left: Floats, right: Floats) -> Floats:
    """Half the summed difference of two mixes: (..., classes), (..., classes) -> (...)."""
    return np.asarray(np.abs(left - right).sum(axis=-1) / 2)


def _distance(of: MonitorComparison) -> Distance:
    reference, window, rng = of.reference.classes, of.window.classes, of.rng
    n, m = len(reference), len(window)
    width = int(max(reference.max(), window.max())) + 1
    before, now = np.bincount(reference, minlength=width) / n, np.bincount(window, minlength=width) / m
    by_chance = total_variation(rng.multinomial(n, before, of.draws) / n, rng.multinomial(m, before, of.draws) / m)
    moved = int(np.abs(now - before).argmax())
    label = of.labels[moved] if moved < len(of.labels) else sentence("label {moved}", moved=moved)
    reason = sentence(
        "“{label}” went from {before} to {now} of predictions",
        label=label,
        before=percent(before[moved]),
        now=percent(now[moved]),
    )
    return Distance(float(total_variation(before, now)), by_chance, reason)


CLASS_MIX = DriftMonitor("class_mix", "Class mix", _distance)

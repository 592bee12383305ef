"""Which labels are predicted how often."""

import numpy as np

from apps.rules.monitors.evidence import Floats, MonitorEvidence
from apps.rules.monitors.few import enough
from apps.rules.monitors.monitor import Chance, DriftMonitor, FeatureMeasure, RowsParameters
from apps.rules.monitors.nearest import by_label
from apps.rules.sentences import sentence
from apps.rules.words import percent


def total_variation(left: Floats, right: Floats) -> Floats:
    """Half the summed difference of two mixes: (..., classes), (..., classes) -> (...)."""
    return np.asarray(np.abs(left - right).sum(axis=-1) / 2)


def _measure(of: MonitorEvidence, parameters: RowsParameters, chance: Chance) -> list[FeatureMeasure]:
    enough(of, parameters.least_rows)
    reference, window = of.reference.classes, of.window.classes
    n, m = len(reference), len(window)
    width = int(max(reference.max(), window.max())) + 1
    before, now = np.bincount(reference, minlength=width) / n, np.bincount(window, minlength=width) / m
    redrawn = chance.rng.multinomial(n, before, (chance.draws, 1)) / n
    by_chance = total_variation(redrawn, chance.rng.multinomial(m, before, (chance.draws, chance.windows)) / m)
    moved = int(np.abs(now - before).argmax())
    label = of.labels[moved] if moved < len(of.labels) else sentence("label {moved}", moved=moved)
    reason = sentence(
        "“{label}” went from {before} to {now} of predictions",
        label=label,
        before=percent(before[moved]),
        now=percent(now[moved]),
    )
    names = [of.labels[i] if i < len(of.labels) else str(i) for i in range(width)]
    parts = {"names": names, "reference": before.tolist(), "window": now.tolist()}
    value = float(total_variation(before, now))
    return [FeatureMeasure("class_mix", value, reason, by_chance=by_chance, parts=parts)]


CLASS_MIX = DriftMonitor("class_mix", "Class mix", _measure, standing=True, nearest=by_label)

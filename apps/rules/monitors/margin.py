"""How far the model's first choice is ahead of its second: doubt between two labels, which confidence alone does not show."""

import numpy as np

from apps.rules.monitors.confidence import measured
from apps.rules.monitors.evidence import Floats, MonitorEvidence
from apps.rules.monitors.few import enough_margins
from apps.rules.monitors.monitor import Chance, DriftMonitor, FeatureMeasure, NothingToRead, RowsParameters
from apps.rules.sentences import sentence
from apps.rules.words import plain_number


def _measure(of: MonitorEvidence, parameters: RowsParameters, chance: Chance) -> list[FeatureMeasure]:
    reference = _known(of.reference.margins)
    if not len(reference):
        raise NothingToRead(
            sentence("What this model said of its holdout has no margins; the next model that is trained has them.")
        )
    window = _known(of.window.margins)
    enough_margins(len(window), len(reference), parameters.least_rows)
    before, now = float(np.median(reference)), float(np.median(window))
    reason = sentence(
        "Half of the answers are now ahead of the next label by at least {now} ({before} before)",
        now=plain_number(now, 2),
        before=plain_number(before, 2),
    )
    return [measured("margin", reference, window, reason, chance)]


def _known(margins: Floats | None) -> Floats:
    """Answers of before margins were logged have none."""
    return np.zeros(0) if margins is None else np.clip(margins[np.isfinite(margins)], 0, 1)


MARGIN = DriftMonitor("margin", "Margin", _measure)

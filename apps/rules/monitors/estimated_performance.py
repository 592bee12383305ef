"""How many answers are probably right, without labels: the mean of calibrated confidences (CBPE), held to what feedback said later.

It sees a model that is less sure, not one that is surely wrong: where what is asked means something else now, only labels tell.
So it is believed only as far as its own past estimates were right.
"""

import numpy as np
from pydantic import Field

from apps.rules.monitors.evidence import MonitorEvidence, MonitorNeed
from apps.rules.monitors.few import enough
from apps.rules.monitors.monitor import CannotTell, Chance, DriftMonitor, FeatureMeasure, NothingToRead, RowsParameters
from apps.rules.monitors.nearest import by_doubt
from apps.rules.sentences import sentence
from apps.rules.words import percent, points

FEWEST_PAST = 3  # windows whose estimates met their feedback, before they are held against it


class EstimatedPerformanceParameters(RowsParameters):
    tolerance: float = Field(
        0.02, ge=0, le=1, title="Tolerance", description="By which the accuracy may be lower: 0.02 is two points."
    )
    most_error: float = Field(
        0.05,
        gt=0,
        le=1,
        title="Largest error of past estimates",
        description="If they were further from what feedback said, on average, it does not tell.",
    )


def _measure(of: MonitorEvidence, parameters: EstimatedPerformanceParameters, chance: Chance) -> list[FeatureMeasure]:
    if of.right is None:
        raise NothingToRead(sentence("The report of the model does not say which answers on the holdout were right."))
    enough(of, parameters.least_rows)
    if (error := back_test(of)) is not None and error > parameters.most_error:
        words = sentence(
            "Its past estimates were {error} points from what feedback said, so it is not believed.",
            error=points(error).lstrip("+"),
        )
        raise CannotTell(words)
    sure, right = of.reference.confidences, of.right
    n, m = len(sure), len(of.window)
    # What the confidences of the holdout claimed beyond what was right there: a calibration that is off is none of the window's.
    offset = float(sure.mean() - right.mean())
    before, now = float(right.mean()), float(of.window.confidences.mean()) - offset
    drawn = np.empty((chance.draws, chance.windows))
    for draw in range(chance.draws):
        rows = chance.rng.integers(n, size=n)
        windows = chance.rng.integers(n, size=(chance.windows, m))
        estimated = sure[windows].mean(axis=1) - (sure[rows].mean() - right[rows].mean())
        drawn[draw] = right[rows].mean() - estimated
    fall = before - now
    reason = sentence(
        "About {now} of the answers are right, as far as confidence tells ({before} on the holdout)",
        now=percent(min(max(now, 0.0), 1.0), 1),
        before=percent(before, 1),
    )
    beyond = np.maximum(drawn, 0.0)
    value = max(fall - parameters.tolerance, 0.0)
    return [FeatureMeasure("estimated_accuracy", value, reason, by_chance=beyond)]


def estimate_of(of: MonitorEvidence) -> float:
    """The share that is probably right."""
    offset = float(of.reference.confidences.mean() - of.right.mean()) if of.right is not None else 0.0
    return float(np.clip(of.window.confidences.mean() - offset, 0, 1))


def back_test(of: MonitorEvidence) -> float | None:
    """How far past estimates were from their feedback on average, beyond what so few labels differ anyway; None for too few."""
    if len(of.past) < FEWEST_PAST:
        return None
    n = np.array([each.n for each in of.past], float)
    apart = np.array([abs(each.estimated - each.measured) for each in of.past])
    measured = np.array([each.measured for each in of.past])
    noise = np.sqrt(np.maximum(measured * (1 - measured), 0.01) / n)
    return float(np.average(np.maximum(apart - noise, 0.0), weights=n))


ESTIMATED_PERFORMANCE = DriftMonitor(
    "estimated-performance",
    "Accuracy without labels",
    _measure,
    parameters=EstimatedPerformanceParameters,
    needs=frozenset({MonitorNeed.PREDICTIONS, MonitorNeed.PAST_ESTIMATES}),
    nearest=by_doubt,
)

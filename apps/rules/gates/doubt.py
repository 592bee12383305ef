"""How a gate says that it cannot tell, and what would settle the doubt."""

from math import ceil

from apps.rules.gates.gate import GateOutcome, Judgment
from apps.rules.metrics import Metric
from apps.rules.sentences import joined, sentence
from apps.rules.words import count


def labels_to_settle(difference: Metric, n: int, allowed_loss: float) -> int | None:
    """How many more examples would about settle a difference of this size, either way.

    An interval shrinks with the square root of n. The gate passes once the lower half is at most value + allowed_loss
    and fails once the upper half is below -value, whichever comes first: n * (half_width / needed)^2 - n.
    """
    if difference.value is None or difference.low is None or difference.high is None:
        return None
    value, low, high = difference.value, difference.low, difference.high
    totals = []
    if value + allowed_loss > 0:
        totals.append(n * ((value - low) / (value + allowed_loss)) ** 2)
    if value < 0:
        totals.append(n * ((high - value) / -value) ** 2)
    return max(ceil(min(totals)) - n, 1) if totals else None


def doubtful(words: str, more: int | None) -> Judgment:
    """`more` labels would about settle it."""
    if more is not None:
        settles = sentence("About {labels} would settle it.", labels=count(more, "more holdout label"))
        words = joined([words, settles])
    return Judgment(GateOutcome.INCONCLUSIVE, words, more)


def unmeasured(words: str, metric: Metric | None) -> Judgment:
    """What was not measured, with the reason where there is one."""
    reason = joined([words, metric.reason]) if metric and metric.reason else words
    return Judgment(GateOutcome.INCONCLUSIVE, reason)

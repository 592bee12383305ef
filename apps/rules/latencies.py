"""A histogram of latencies that can be added to another: bins of one size on a logarithmic scale, the same for ever.

A bin ends 10 % above where it begins, and its answers count as its geometric middle: what is said of them is within 5 %.
"""

from collections.abc import Mapping
from math import exp, floor, log

LEAST_MS = 0.01  # what was faster counts with it
GROWTH = 1.1
BINS = 200  # the last one begins at half an hour
_STEP = log(GROWTH)


def bin_of(latency_ms: float) -> int:
    """0 to BINS - 1.

    >>> bin_of(0.0), bin_of(0.01), bin_of(1.0), bin_of(1e9)
    (0, 0, 48, 199)
    """
    if not latency_ms > LEAST_MS:
        return 0
    return min(floor(log(latency_ms / LEAST_MS) / _STEP), BINS - 1)


def middle_of(place: int) -> float:
    """Milliseconds."""
    return LEAST_MS * exp((place + 0.5) * _STEP)


def quantile(histogram: Mapping[int, int], share: float) -> float | None:
    """The latency that `share` of the answers did not exceed; answers by bin. None of no answers.

    >>> round(quantile({48: 99, 100: 1}, 0.5), 1)
    1.0
    """
    left = share * sum(histogram.values())
    for place, number in sorted(histogram.items()):
        left -= number
        if left <= 1e-9 and number:
            return middle_of(place)
    return None

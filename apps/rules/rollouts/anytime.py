"""Looking as often as one likes: the mixture sequential probability ratio test (Johari, Pekelis, Walsh 2015, 2022).

Valid at every moment, so a rollout without a planned end may be judged by it. The price is power: where looks are planned,
`boundaries` catches the same harm sooner.
"""

from math import exp, inf, log, sqrt

MOST_EXPONENT = 700.0  # e to more is no number


def mixture_ratio(difference: float, variance: float, *, tau: float) -> float:
    """How much likelier the difference is under effects drawn from N(0, tau^2) than under none.

    >>> round(mixture_ratio(0.02, 0.00001, tau=0.01), 1) > 20
    True
    """
    if variance <= 0:
        return 1.0
    exponent = tau**2 * difference**2 / (2 * variance * (variance + tau**2))
    return sqrt(variance / (variance + tau**2)) * exp(exponent) if exponent < MOST_EXPONENT else inf


def interval(difference: float, variance: float, *, tau: float, alpha: float) -> tuple[float, float]:
    """The interval that holds the true difference at all looks together with chance 1 - alpha.

    >>> low, high = interval(0.0, 0.0001, tau=0.01, alpha=0.05)
    >>> low == -high and high > 1.96 * 0.01
    True
    """
    if variance <= 0:
        return -inf, inf
    half = sqrt(variance * (variance + tau**2) / tau**2 * log((variance + tau**2) / (variance * alpha**2)))
    return difference - half, difference + half

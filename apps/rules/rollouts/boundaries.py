"""How far apart two arms must be before a planned look may call it harm, so that all looks together rarely err.

Error spending (Lan and DeMets 1983): by the fraction t of the looks that are over, at most `spent(alpha, t)` of the allowed
error may be used up; in the shape of O'Brien and Fleming (1979) nearly all of it is kept for the end. Fractions count planned
looks, not samples (Lan and DeMets 1989), so nobody has to know the traffic beforehand; what the traffic was is in the
covariance, through the information that each look had.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

Floats = NDArray[np.float64]
POINTS = 401  # of Simpson's rule over the paths that go on; twice as many move no boundary by 0.0001
FARTHEST = 8.0  # standard deviations; what lies beyond has a chance of 6e-16
LEAST_SPENT = 1e-12  # a look that may spend less can call nothing


def spent(alpha: float, fraction: float) -> float:
    """The error, one-sided, that may be used up when this fraction (0 to 1) of the looks is over.

    >>> [round(spent(0.05, t), 4) for t in (0.25, 0.5, 1.0)]
    [0.0001, 0.0056, 0.05]
    """
    return 2 * float(norm.sf(norm.isf(alpha / 2) / sqrt(min(fraction, 1.0)))) if fraction > 0 else 0.0


def planned(*, looks: int, alpha: float) -> tuple[float, ...]:
    """Boundaries of the z value where every look brings the same information.

    >>> [round(b, 2) for b in planned(looks=4, alpha=0.05)]
    [3.75, 2.54, 2.02, 1.72]
    """
    return boundaries(range(1, looks + 1), looks=looks, alpha=alpha)


def boundaries(information: Sequence[float], *, looks: int, alpha: float) -> tuple[float, ...]:
    """One boundary for each look so far: harm is called where the z value in the harmful direction reaches it.

    `information` grows with the samples of each look, in any unit (only ratios count); a look that brought none has an
    infinite boundary and leaves its error to the next. `looks` is how many were planned; one beyond the plan spends nothing.
    """
    return _paths(tuple(float(i) for i in information), looks, alpha).bounds


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the score z * sqrt(information) may stand after the looks so far, if none of them called harm."""

    bounds: tuple[float, ...]
    used: float  # of the error
    information: float
    at: Floats  # (POINTS,)
    mass: Floats  # (POINTS,) Simpson's weight times density


NOWHERE = Paths((), 0.0, 0.0, np.zeros(1), np.ones(1))


@lru_cache(maxsize=1024)
def _paths(information: tuple[float, ...], looks: int, alpha: float) -> Paths:
    """Look by look; a rollout's next look finds the ones before in the cache."""
    if not information:
        return NOWHERE
    before, info = _paths(information[:-1], looks, alpha), information[-1]
    gained, allowed = info - before.information, spent(alpha, len(information) / looks) - before.used
    if gained <= info * 1e-9 or allowed < LEAST_SPENT:
        return replace(before, bounds=(*before.bounds, inf))
    bound = _bound(before, info, gained, allowed)
    at, mass = _going_on(before, bound, info, gained)
    return Paths((*before.bounds, bound), before.used + allowed, info, at, mass)


def _bound(before: Paths, info: float, gained: float, allowed: float) -> float:
    """The z value that the score passes with the chance `allowed` at this look and not before."""

    def passed(bound: float) -> float:
        return float(before.mass @ norm.sf((bound * sqrt(info) - before.at) / sqrt(gained))) - allowed

    return float(brentq(passed, -FARTHEST, 4 * FARTHEST, xtol=1e-9))


def _going_on(before: Paths, bound: float, info: float, gained: float) -> tuple[Floats, Floats]:
    low, high = -FARTHEST * sqrt(info), min(bound, FARTHEST) * sqrt(info)
    at = np.linspace(low, high, POINTS)
    weights = np.ones(POINTS)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    step = sqrt(gained)
    density = np.exp(-0.5 * ((at[:, None] - before.at) / step) ** 2) @ before.mass / (step * sqrt(2 * np.pi))
    return at, weights * density * (high - low) / (POINTS - 1) / 3

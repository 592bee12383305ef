"""Two arms compared by what their entities did more or less than each of them used to (CUPED; Deng, Xu, Kohavi, Walker 2013).

An entity's own past cannot depend on who answers it in the rollout, so taking away what it explains leaves the difference of the
arms as it is and makes its variance smaller: by the share of the variance that the past explains, and no more.
"""

from dataclasses import dataclass
from math import sqrt

from apps.rules.rollouts.samples import FEW, ArmDifference, ArmSample, compared

NOTHING = 1e-9  # of the squares: what is left of numbers that are all the same


@dataclass(frozen=True, slots=True)
class PastSample:
    """One arm with sums over its entities of w = x z, where z is what an entity used to be worth a request."""

    sample: ArmSample
    past: float  # sum of w
    past_squared: float
    with_requests: float  # sum of x w
    with_worth: float  # sum of y w

    @property
    def rate(self) -> float:
        """The past of whom this arm met, a request."""
        return self.past / self.sample.requests if self.sample.requests else 0.0


def compared_by_past(canary: PastSample, stable: PastSample, *, shares: bool = True) -> ArmDifference:
    """As `compared`, less what the past explains; the very same where events are few and have an exact chance, or where no
    entity's past differs from another's."""
    plain = compared(canary.sample, stable.sample, shares=shares)
    requests = canary.sample.requests + stable.sample.requests
    if plain.variance <= 0 or (shares and _few(canary.sample, stable.sample)):
        return plain
    rate = (canary.sample.worth + stable.sample.worth) / requests
    past = (canary.past + stable.past) / requests
    left = canary.sample.residual(rate) + stable.sample.residual(rate)  # sum of u^2, u = y - rate x
    varied = sum(_varied(arm, past) for arm in (canary, stable))  # sum of v^2, v = w - past x
    together = sum(_together(arm, rate, past) for arm in (canary, stable))  # sum of u v
    if varied <= NOTHING * (canary.past_squared + stable.past_squared):
        return plain
    slope = together / varied
    entities = canary.sample.entities + stable.sample.entities
    variance = max(left - slope * together, 0.0) / entities * (canary.sample.spread + stable.sample.spread)
    if variance <= 0:
        return plain
    difference = plain.difference - slope * (canary.rate - stable.rate)
    return ArmDifference(difference, variance, difference / sqrt(variance), plain.information)


def _few(canary: ArmSample, stable: ArmSample) -> bool:
    requests = canary.requests + stable.requests
    pooled = (canary.worth + stable.worth) / requests
    return min(pooled, 1 - pooled) * min(canary.requests, stable.requests) < FEW


def _varied(arm: PastSample, past: float) -> float:
    return arm.past_squared - 2 * past * arm.with_requests + past**2 * arm.sample.requests_squared


def _together(arm: PastSample, rate: float, past: float) -> float:
    x_squared, xy = arm.sample.requests_squared, arm.sample.cross
    return arm.with_worth - past * xy - rate * arm.with_requests + rate * past * x_squared

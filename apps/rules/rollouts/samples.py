"""What two arms measured of a rate, and how sure the difference between them is.

Entities are what was drawn, requests are what they did: one that asks often is no reason to be surer. So an arm is kept as sums
over its entities, and the variance of its rate is that of a ratio (the delta method; Deng, Knoblich, Lu 2018). With one request
an entity that is the variance of a share.
"""

from dataclasses import dataclass
from math import sqrt

from scipy.stats import hypergeom, norm

FEW = 20  # events expected in the smaller arm; below it a share is not normal, and its exact chance is taken


@dataclass(frozen=True, slots=True)
class ArmSample:
    """Sums over the entities of one arm: x requests of an entity, y what they were worth (clicks, errors, right answers)."""

    entities: int
    requests: float  # sum of x
    worth: float  # sum of y
    requests_squared: float  # sum of x^2
    worth_squared: float  # sum of y^2
    cross: float  # sum of xy

    @classmethod
    def of_shares(cls, *, requests: int, events: int) -> "ArmSample":
        """Every request by an entity of its own, each worth 0 or 1."""
        return cls(requests, requests, events, requests, events, events)

    @property
    def rate(self) -> float:
        return self.worth / self.requests if self.requests else 0.0

    def residual(self, rate: float) -> float:
        """Sum over entities of (y - rate x)^2: what `rate` does not explain."""
        return max(self.worth_squared - 2 * rate * self.cross + rate**2 * self.requests_squared, 0.0)

    @property
    def spread(self) -> float:
        """What the variance of one entity is multiplied with to get that of the rate."""
        return self.entities / self.requests**2 if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class ArmDifference:
    """Canary minus stable. All are 0 where nothing can be told yet; `information` grows with the samples of both arms."""

    difference: float
    variance: float
    z: float
    information: float


def compared(canary: ArmSample, stable: ArmSample, *, shares: bool = True) -> ArmDifference:
    """`shares` says that each request was worth 0 or 1, which has an exact chance where events are few.

    >>> canary, stable = ArmSample.of_shares(requests=1000, events=30), ArmSample.of_shares(requests=9000, events=450)
    >>> round(compared(canary, stable).z, 2)
    -2.81
    """
    if not canary.requests or not stable.requests:
        return ArmDifference(0.0, 0.0, 0.0, 0.0)
    pooled = (canary.worth + stable.worth) / (canary.requests + stable.requests)
    an_entity = (canary.residual(pooled) + stable.residual(pooled)) / (canary.entities + stable.entities)
    spread = canary.spread + stable.spread
    variance = an_entity * spread
    difference = canary.rate - stable.rate
    if variance <= 0:
        return ArmDifference(difference, 0.0, 0.0, 1 / spread)
    z = difference / sqrt(variance)
    share = canary.requests / (canary.requests + stable.requests)
    events = min(pooled, 1 - pooled) * (canary.requests + stable.requests)
    if shares and events * min(share, 1 - share) < FEW:
        z = _exact(canary, stable, variance, pooled)
    return ArmDifference(difference, variance, z, 1 / spread)


def _exact(canary: ArmSample, stable: ArmSample, variance: float, pooled: float) -> float:
    """The z value of the chance that this many events fall to the canary, given how many there were (Fisher).

    Where entities ask often, the value shrinks by what that widens the interval. The lesser of both sides' surprise counts.
    """
    requests, events = round(canary.requests + stable.requests), round(canary.worth + stable.worth)
    drawn, hit = round(canary.requests), round(canary.worth)
    low = float(hypergeom.cdf(hit, requests, events, drawn))
    high = float(hypergeom.sf(hit - 1, requests, events, drawn))
    alone = pooled * (1 - pooled) * (1 / canary.requests + 1 / stable.requests)
    widened = sqrt(max(variance / alone, 1.0)) if alone > 0 else 1.0
    if canary.rate >= stable.rate:
        return max(float(norm.isf(high)), 0.0) / widened
    return min(float(norm.ppf(low)), 0.0) / widened

"""Arms compared by the past of their entities: no bias, a smaller variance, never another answer where there is no past."""

import numpy as np
import pytest
from numpy.typing import NDArray

from apps.rules.rollouts.samples import ArmSample, compared
from tests.bench._past import PastSample, compared_by_past

Floats = NDArray[np.float64]


def sample(x: Floats, y: Floats, z: Floats) -> PastSample:
    """Of entities with x requests that were worth y, and used to be worth z a request."""
    w = x * z
    plain = ArmSample(len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum())
    return PastSample(plain, w.sum(), (w * w).sum(), (x * w).sum(), (y * w).sum())


def arms(draws: np.random.Generator, *, worse: float = 0.0, told: float = 1.0) -> tuple[PastSample, PastSample]:
    """Entities that differ in what they are worth a request; `told` is how much of that their past says."""
    found = []
    for n, shift in ((400, -worse), (1600, 0.0)):
        own, x = draws.normal(5, 2, n), 1.0 + draws.poisson(1, n)
        y = x * (own + shift) + draws.normal(0, 1, n) * np.sqrt(x)
        found.append(sample(x, y, told * own + (1 - told) * draws.normal(5, 2, n)))
    return found[0], found[1]


def test_the_variance_is_the_one_that_is_found_and_smaller_than_without_the_past() -> None:
    draws = np.random.default_rng(3)
    seen = [(compared_by_past(c, s, shares=False), compared(c.sample, s.sample, shares=False)) for c, s in many(draws)]
    differences = np.array([adjusted.difference for adjusted, _ in seen])
    assert abs(differences.mean()) < 4 * differences.std() / np.sqrt(len(differences)), "it is biased"
    assert np.mean([adjusted.variance for adjusted, _ in seen]) == pytest.approx(differences.var(), rel=0.2)
    assert np.mean([a.variance for a, _ in seen]) < 0.3 * np.mean([p.variance for _, p in seen])
    z = np.array([adjusted.z for adjusted, _ in seen])
    assert 0.9 < z.std() < 1.1


def many(draws: np.random.Generator) -> list[tuple[PastSample, PastSample]]:
    return [arms(draws) for _ in range(400)]


def test_a_past_that_says_nothing_changes_next_to_nothing() -> None:
    draws = np.random.default_rng(4)
    canary, stable = arms(draws, told=0.0)
    adjusted, plain = (
        compared_by_past(canary, stable, shares=False),
        compared(canary.sample, stable.sample, shares=False),
    )
    assert adjusted.z == pytest.approx(plain.z, abs=0.15) and adjusted.variance <= plain.variance


def test_arms_whose_entities_were_unequal_before_are_not_called_unequal_now() -> None:
    """By chance the canary met entities that always were worth less."""
    draws = np.random.default_rng(5)
    worth, n = draws.normal(5, 2, 2000), 400
    worth.sort()
    mixed = (
        np.concatenate([worth[100:300], worth[900:1100]]),
        np.concatenate([worth[:100], worth[300:900], worth[1100:]]),
    )
    canary, stable = (
        sample(np.ones(len(own)), own + draws.normal(0, 0.5, len(own)), own) for own in (mixed[0][:n], mixed[1])
    )
    assert compared(canary.sample, stable.sample, shares=False).z < -3
    assert abs(compared_by_past(canary, stable, shares=False).z) < 3


def test_where_events_are_few_or_no_past_differs_it_is_the_plain_comparison() -> None:
    few = PastSample(ArmSample.of_shares(requests=100, events=3), 5.0, 0.5, 5.0, 0.2)
    rest = PastSample(ArmSample.of_shares(requests=900, events=30), 45.0, 4.5, 45.0, 2.0)
    assert compared_by_past(few, rest) == compared(few.sample, rest.sample)
    same = [
        PastSample(arm, 0.05 * arm.requests, 0.0025 * arm.requests, 0.05 * arm.requests, 0.05 * arm.worth)
        for arm in (ArmSample.of_shares(requests=1000, events=60), ArmSample.of_shares(requests=9000, events=450))
    ]
    assert compared_by_past(same[0], same[1]) == compared(same[0].sample, same[1].sample)
    nothing = PastSample(ArmSample.of_shares(requests=0, events=0), 0.0, 0.0, 0.0, 0.0)
    assert compared_by_past(nothing, rest).z == 0.0

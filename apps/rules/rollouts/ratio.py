"""Sample ratio mismatch: whether the arms have the entities that their weights give them. If not, nothing else is judged.

Fabijan and others 2019, "Diagnosing sample ratio mismatch". Entities are counted, not requests: an entity that asks a
thousand times is one draw.
"""

from scipy.stats import binomtest

ALPHA = 0.0005  # a broken split is rarely a matter of doubt, and a healthy one must not stop a rollout


def mismatch(*, canary: int, stable: int, weight: float) -> float | None:
    """The chance of a split this far from `weight` percent, where it is below ALPHA; else None.

    >>> mismatch(canary=100, stable=900, weight=10) is None, mismatch(canary=150, stable=850, weight=10) is None
    (True, False)
    """
    if canary + stable == 0 or not 0 < weight < 100:
        return None
    chance = float(binomtest(canary, canary + stable, weight / 100).pvalue)
    return chance if chance < ALPHA else None

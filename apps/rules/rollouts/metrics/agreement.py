"""How often the canary, asked a copy of the champion's request, answers the same; held against the least share wanted."""

from math import sqrt

from apps.rules.rollouts.metrics.metric import NOTHING, Figures, Harm, LookEvidence, RolloutMetric
from apps.rules.rollouts.samples import ArmDifference

WANTED = 0.8


def _look(evidence: LookEvidence, limit: float | None) -> Figures:
    n, wanted = evidence.mirrored, WANTED if limit is None else limit
    if not n:
        return Figures(None, wanted, 0, NOTHING)
    rate, variance = evidence.agreed / n, wanted * (1 - wanted) / n
    z = (rate - wanted) / sqrt(variance) if variance > 0 else 0.0
    return Figures(rate, wanted, n, ArmDifference(rate - wanted, variance, z, float(n)))


AGREEMENT = RolloutMetric("agreement", "Agreement with the champion", Harm.LOWER, _look, limit=WANTED)

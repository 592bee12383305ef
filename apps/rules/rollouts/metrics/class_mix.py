"""Whether the canary answers in other proportions: the chi-square test of homogeneity, as the z value of its chance."""

from scipy.stats import chi2_contingency, norm

from apps.rules.rollouts.metrics.metric import NOTHING, Figures, Harm, LookEvidence, RolloutMetric
from apps.rules.rollouts.samples import ArmDifference

LEAST_CHANCE = 1e-300


def _look(evidence: LookEvidence, limit: float | None) -> Figures:
    """The figure is the share of answers that would have to change; a label that neither arm answers is left out."""
    names = sorted({*evidence.canary.labels, *evidence.stable.labels})
    canary, stable = ([arm.labels.get(name, 0) for name in names] for arm in (evidence.canary, evidence.stable))
    n, others = sum(canary), sum(stable)
    if not n or not others:
        return Figures(None, None, n, NOTHING)
    apart = sum(abs(a / n - b / others) for a, b in zip(canary, stable, strict=True)) / 2
    chance = float(chi2_contingency([canary, stable], correction=False).pvalue) if len(names) > 1 else 1.0
    z = float(norm.isf(max(chance, LEAST_CHANCE) / 2))
    return Figures(apart, 0.0, n, ArmDifference(apart, 0.0, z, 1 / (1 / n + 1 / others)))


CLASS_MIX = RolloutMetric("class-mix", "Mix of answers", Harm.EITHER, _look)

"""What an analysis can look at while a canary serves."""

from apps.rules.rollouts.metrics.metric import (
    ArmEvidence,
    Figures,
    Harm,
    LookEvidence,
    RolloutMetric,
    of_samples,
    shares_of,
)
from apps.rules.rollouts.metrics.registry import METRICS

__all__ = ["METRICS", "ArmEvidence", "Figures", "Harm", "LookEvidence", "RolloutMetric", "of_samples", "shares_of"]

"""What came back for answers that are old enough to be judged: right labels, clicks, any number that was posted."""

from apps.rules.rollouts.metrics.metric import Figures, Harm, LookEvidence, RolloutMetric, of_samples


def _look(evidence: LookEvidence, limit: float | None) -> Figures:
    """Of any number, so without the exact chance that shares have."""
    return of_samples(evidence.canary.samples.get("feedback"), evidence.stable.samples.get("feedback"), shares=False)


FEEDBACK = RolloutMetric("feedback", "Feedback", Harm.LOWER, _look)

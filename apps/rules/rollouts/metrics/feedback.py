"""What came back for answers that are old enough to be judged: right labels, clicks, any number that was posted."""

from apps.rules.rollouts.metrics.metric import Figures, Harm, LookEvidence, RolloutMetric, of_samples

NAME = "feedback"


def _look(evidence: LookEvidence, limit: float | None) -> Figures:
    """Right labels and clicks are shares and have an exact chance where they are few; any other number has none."""
    canary, stable = evidence.canary.samples.get(NAME), evidence.stable.samples.get(NAME)
    return of_samples(canary, stable, shares=evidence.feedback_shares)


FEEDBACK = RolloutMetric(NAME, "Feedback", Harm.LOWER, _look)

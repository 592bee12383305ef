"""Requests that the model did not answer. What a client asked wrongly is no error of the model's."""

from apps.rules.rollouts.metrics.metric import Harm, RolloutMetric, shares_of

ERROR_RATE = RolloutMetric("error-rate", "Failed requests", Harm.HIGHER, shares_of("errors"))

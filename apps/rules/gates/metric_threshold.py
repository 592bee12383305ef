"""A metric reaches a value, whatever the champion has: MLflow's `threshold`."""

from pydantic import Field

from apps.rules.gates.doubt import unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateNeed, Judgment
from apps.rules.gates.metric_fields import MetricParameters, beyond, oriented, title_of, value_words
from apps.rules.sentences import sentence


class ThresholdParameters(MetricParameters):
    threshold: float = Field(ge=0, le=1000, title="Threshold", description="Shares as 0.95, log-loss in nats.")


def _judge(evidence: Evidence, parameters: ThresholdParameters) -> Judgment:
    name, found = parameters.metric, evidence.metrics.get(parameters.metric)
    if found is None or found.value is None:
        return unmeasured(sentence("{metric} was not measured.", metric=title_of(name)), found)
    limit = value_words(name, parameters.threshold)
    least = (
        sentence("at least {limit}", limit=limit) if parameters.sign > 0 else sentence("at most {limit}", limit=limit)
    )
    between = (
        sentence(", between {low} and {high}", low=value_words(name, found.low), high=value_words(name, found.high))
        if found.low is not None and found.high is not None
        else ""
    )
    measured = sentence(
        "{metric} {value}{between}; {least} is asked",
        metric=title_of(name),
        value=value_words(name, found.value),
        between=between,
        least=least,
    )
    margin = oriented(found, parameters.sign * parameters.threshold, parameters.sign)
    details = {
        "metric": name,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "threshold": parameters.threshold,
    }
    return beyond(measured, margin, by=parameters.judge_by, n=evidence.n_holdout, details=details)


METRIC_THRESHOLD = Gate(
    "metric-threshold",
    "A metric reaches its threshold",
    _judge,
    needs=frozenset({GateNeed.HOLDOUT}),
    parameters=ThresholdParameters,
    standing=False,
)

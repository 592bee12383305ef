"""A metric changes against the champion by at least so much, absolute or relative, on a paired bootstrap interval."""

from typing import Literal

from pydantic import Field

from apps.rules.gates.doubt import unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateNeed, GateOutcome, Judgment
from apps.rules.gates.metric_fields import MetricParameters, beyond, change_words, oriented, title_of
from apps.rules.sentences import sentence
from apps.rules.words import signed

KINDS = {"absolute": "Absolute", "relative": "Relative to the champion"}


class ChangeParameters(MetricParameters):
    kind: Literal["absolute", "relative"] = Field("absolute", title="Change", json_schema_extra={"words": dict(KINDS)})
    min_change: float = Field(
        0.0,
        ge=-1000,
        le=1000,
        title="Least change for the better",
        description="Below 0 a loss is allowed: −0.01 is one point, or 1 % of the champion’s value.",
    )


def _judge(evidence: Evidence, parameters: ChangeParameters) -> Judgment:
    name, found = parameters.metric, evidence.differences.get(parameters.metric)
    if found is None or found.value is None:
        return unmeasured(sentence("{metric} was not compared.", metric=title_of(name)), found)
    mine, scale = evidence.metrics.get(name), 1.0
    if parameters.kind == "relative":
        champion = None if mine is None or mine.value is None else mine.value - found.value
        if champion is None or champion <= 0:
            words = sentence("The champion’s {metric} is 0, so nothing is relative to it.", metric=title_of(name))
            return Judgment(GateOutcome.INCONCLUSIVE, words)
        scale = champion

    def said(value: float) -> str:
        if parameters.kind == "relative":
            return sentence("{percent} %", percent=signed(100 * value))
        return change_words(name, value)

    between = (
        sentence(", between {low} and {high}", low=said(found.low / scale), high=said(found.high / scale))
        if found.low is not None and found.high is not None
        else ""
    )
    measured = sentence(
        "{metric} {change} against the champion{between}; {least} for the better is asked",
        metric=title_of(name),
        change=said(found.value / scale),
        between=between,
        least=said(parameters.min_change),
    )
    margin = oriented(found, parameters.min_change, parameters.sign, scale)
    details = {
        "metric": name,
        "change": found.value / scale,
        "low": found.low,
        "high": found.high,
        "kind": parameters.kind,
    }
    return beyond(measured, margin, by=parameters.judge_by, n=evidence.n_holdout, details=details)


METRIC_CHANGE = Gate(
    "metric-change",
    "A metric changes for the better",
    _judge,
    needs=frozenset({GateNeed.CHAMPION, GateNeed.HOLDOUT}),
    parameters=ChangeParameters,
    standing=False,
)

"""What the model says of its own certainty holds: expected calibration error or the Brier score stay below a limit."""

from typing import Literal

import numpy as np
from pydantic import Field

from apps.rules.gates.doubt import unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateNeed, HoldoutParameters, Judgment
from apps.rules.gates.metric_fields import JUDGED_BY, beyond, oriented
from apps.rules.gates.rows import HoldoutRows
from apps.rules.metrics import Metric
from apps.rules.sentences import sentence, term
from apps.rules.words import plain_number

MEASURES = {"ece": "Expected calibration error", "brier": "Brier score"}
NORMAL_95 = 1.959964  # standard deviations on each side of a 95 % interval


class CalibrationParameters(HoldoutParameters):
    measure: Literal["ece", "brier"] = Field("ece", title="Measure", json_schema_extra={"words": dict(MEASURES)})
    limit: float = Field(0.1, ge=0, le=2, title="Limit", description="Of the error: 0.1 is ten points; 0 is perfect.")
    judge_by: Literal["interval", "value"] = Field(
        "interval", title="Judged by", json_schema_extra={"words": dict(JUDGED_BY)}
    )


def brier(rows: HoldoutRows) -> Metric:
    """Mean squared distance of the probabilities from the truth over all labels, 0 to 2 (Brier 1950), with a 95 % interval."""
    if not len(rows):
        return Metric(None, None, None, "No labeled example to measure on.")
    if not np.isfinite(rows.candidate).all():
        return Metric(None, None, None, "Some of its probabilities are not numbers.")
    truth = np.eye(rows.candidate.shape[1])[rows.truth]
    losses = ((rows.candidate - truth) ** 2).sum(axis=1)
    value, n = float(losses.mean()), len(losses)
    if n == 1:
        return Metric(value, None, None, "One example gives no interval.")
    half = NORMAL_95 * float(losses.std(ddof=1)) / n**0.5
    return Metric(value, max(value - half, 0.0), min(value + half, 2.0))


def _judge(evidence: Evidence, parameters: CalibrationParameters) -> Judgment:
    name = term(MEASURES[parameters.measure])
    found = evidence.metrics.get("calibration_error") if parameters.measure == "ece" else None
    if parameters.measure == "brier" and evidence.rows is not None:
        found = brier(evidence.rows)
    if found is None or found.value is None:
        return unmeasured(sentence("{metric} was not measured.", metric=name), found)
    between = (
        sentence(", between {low} and {high}", low=plain_number(found.low, 3), high=plain_number(found.high, 3))
        if found.low is not None and found.high is not None
        else ""
    )
    measured = sentence(
        "{metric} {value}{between}; at most {limit} is allowed",
        metric=name,
        value=plain_number(found.value, 3),
        between=between,
        limit=plain_number(parameters.limit, 3),
    )
    margin = oriented(found, -parameters.limit, -1)
    details = {"measure": parameters.measure, "value": found.value, "low": found.low, "high": found.high}
    return beyond(measured, margin, by=parameters.judge_by, n=evidence.n_holdout, details=details)


CALIBRATION = Gate(
    "calibration",
    "It knows how sure it may be",
    _judge,
    needs=frozenset({GateNeed.HOLDOUT}),
    parameters=CalibrationParameters,
    standing=False,
)

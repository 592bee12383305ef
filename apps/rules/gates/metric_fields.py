"""Parameters that gates on a metric share: which one, which way is good, and what decides."""

from typing import Any, Literal

from pydantic import Field

from apps.rules.gates.doubt import doubtful, labels_to_settle
from apps.rules.gates.gate import GateOutcome, HoldoutParameters, Judgment
from apps.rules.metrics import Difference, Metric
from apps.rules.sentences import Sentence, sentence, term
from apps.rules.words import percent, plain_number, points, signed

MetricName = Literal["accuracy", "macro_f1", "log_loss", "calibration_error"]
WORDS: dict[str, str] = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "log_loss": "Log-loss",
    "calibration_error": "Calibration error",
}
SHARES = ("accuracy", "macro_f1", "calibration_error")
LOWER_IS_BETTER = ("log_loss", "calibration_error")
DIRECTIONS = {"HIGHER_IS_BETTER": "Higher is better", "LOWER_IS_BETTER": "Lower is better"}
JUDGED_BY = {"interval": "The whole 95 % interval", "value": "The value alone"}


class MetricParameters(HoldoutParameters):
    metric: MetricName = Field(title="Metric", json_schema_extra={"words": dict(WORDS)})
    direction: Literal["HIGHER_IS_BETTER", "LOWER_IS_BETTER"] | None = Field(
        None,
        title="Direction",
        description="As the metric has it, if left open.",
        json_schema_extra={"words": dict(DIRECTIONS)},
    )
    judge_by: Literal["interval", "value"] = Field(
        "interval",
        title="Judged by",
        description="By the interval a gate can be in doubt; the value alone always decides.",
        json_schema_extra={"words": dict(JUDGED_BY)},
    )

    @property
    def sign(self) -> int:
        """1 where more is better."""
        lower = self.metric in LOWER_IS_BETTER if self.direction is None else self.direction == "LOWER_IS_BETTER"
        return -1 if lower else 1


def title_of(metric: str) -> Sentence:
    return term(WORDS[metric])


def value_words(metric: str, value: float) -> Sentence:
    return percent(value, 1) if metric in SHARES else plain_number(value, 3)


def change_words(metric: str, value: float) -> Sentence:
    return points(value) if metric in SHARES else signed(value, 3)


def beyond(measured: str, margin: Metric, *, by: str, n: int, details: dict[str, Any]) -> Judgment:
    """`margin` is how far the good side of the limit is kept; below 0 it is not. Its ends are None where nobody knows."""
    assert margin.value is not None
    low, high = (margin.value, margin.value) if by == "value" else (margin.low, margin.high)
    if low is None or high is None:
        return Judgment(
            GateOutcome.INCONCLUSIVE, sentence("{measured}; one example gives no interval.", measured=measured)
        )
    if low >= 0:
        return Judgment(GateOutcome.PASS, sentence("{measured}.", measured=measured), details=details)
    if high < 0:
        return Judgment(
            GateOutcome.FAIL, sentence("{measured}; surely not reached.", measured=measured), details=details
        )
    more = labels_to_settle(Difference(margin.value, low, high), n, 0.0)
    doubt = doubtful(sentence("{measured}; may be chance.", measured=measured), more)
    return Judgment(doubt.outcome, doubt.reason, doubt.more_labels, details)


def oriented(metric: Metric, limit: float, sign: int, scale: float = 1.0) -> Metric:
    """How far the metric keeps the good side of the limit."""
    assert metric.value is not None
    ends = [None if v is None else sign * v / scale - limit for v in (metric.low, metric.high)]
    low, high = ends if sign > 0 else ends[::-1]
    return Metric(sign * metric.value / scale - limit, low, high)

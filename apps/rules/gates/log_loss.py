"""Fails when log-loss surely rose and its rise is beyond the limit: sure and wrong is worse than wrong."""

from pydantic import Field

from apps.rules.gates.doubt import unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateNeed, GateOutcome, HoldoutParameters, Judgment
from apps.rules.sentences import sentence
from apps.rules.words import signed


class LogLossParameters(HoldoutParameters):
    log_loss_rise: float = Field(
        0.10,  # nats; about the cost of 10 % less probability on the truth
        ge=0,
        le=16,
        title="Allowed rise of log-loss",
        description="In nats; 0.10 is about 10 % less probability on the truth.",
    )


def _judge(evidence: Evidence, parameters: LogLossParameters) -> Judgment:
    difference = evidence.log_loss_difference
    if difference is None or difference.value is None or difference.low is None or difference.high is None:
        return unmeasured(sentence("Log-loss was not compared."), difference)
    measured = sentence(
        "Log-loss {value}, between {low} and {high}; lower is better",
        value=signed(difference.value, 2),
        low=signed(difference.low, 2),
        high=signed(difference.high, 2),
    )
    if difference.low > 0 and difference.value > parameters.log_loss_rise:
        return Judgment(
            GateOutcome.FAIL,
            sentence(
                "{measured}. It rose by more than the {log_loss_rise:.2f} allowed.",
                measured=measured,
                log_loss_rise=parameters.log_loss_rise,
            ),
        )
    within = (
        sentence("; a rise of up to {log_loss_rise:.2f} passes", log_loss_rise=parameters.log_loss_rise)
        if difference.low > 0
        else ""
    )
    return Judgment(GateOutcome.PASS, sentence("{measured}{within}.", measured=measured, within=within))


LOG_LOSS = Gate(
    "log_loss",
    "Its log-loss rose by no more than allowed",
    _judge,
    needs=frozenset({GateNeed.CHAMPION, GateNeed.HOLDOUT}),
    parameters=LogLossParameters,
)

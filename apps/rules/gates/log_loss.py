"""Fails when log-loss surely rose and its rise is beyond the limit: sure and wrong is worse than wrong."""

from apps.rules.gates.doubt import unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateLimits, GateNeed, GateOutcome, Judgment
from apps.rules.sentences import sentence
from apps.rules.words import signed


def _judge(evidence: Evidence, limits: GateLimits) -> Judgment:
    difference = evidence.log_loss_difference
    if difference is None or difference.value is None or difference.low is None or difference.high is None:
        return unmeasured(sentence("Log-loss was not compared."), difference)
    measured = sentence(
        "Log-loss {value}, between {low} and {high}; lower is better",
        value=signed(difference.value, 2),
        low=signed(difference.low, 2),
        high=signed(difference.high, 2),
    )
    if difference.low > 0 and difference.value > limits.log_loss_rise:
        return Judgment(
            GateOutcome.FAIL,
            sentence(
                "{measured}. It rose by more than the {log_loss_rise:.2f} allowed.",
                measured=measured,
                log_loss_rise=limits.log_loss_rise,
            ),
        )
    within = (
        sentence("; a rise of up to {log_loss_rise:.2f} passes", log_loss_rise=limits.log_loss_rise)
        if difference.low > 0
        else ""
    )
    return Judgment(GateOutcome.PASS, sentence("{measured}{within}.", measured=measured, within=within))


LOG_LOSS = Gate(
    "log_loss",
    "Its log-loss rose by no more than allowed",
    _judge,
    needs=frozenset({GateNeed.CHAMPION, GateNeed.HOLDOUT}),
)

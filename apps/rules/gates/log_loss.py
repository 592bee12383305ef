"""Fails when log-loss surely rose and its rise is beyond the limit: sure and wrong is worse than wrong."""

from apps.rules.gates.doubt import unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateLimits, GateNeed, GateOutcome, Judgment
from apps.rules.words import signed


def _judge(evidence: Evidence, limits: GateLimits) -> Judgment:
    difference = evidence.log_loss_difference
    if difference is None or difference.value is None or difference.low is None or difference.high is None:
        return unmeasured("Log-loss was not compared.", difference)
    measured = (
        f"Log-loss {signed(difference.value, 2)}, between {signed(difference.low, 2)} and "
        f"{signed(difference.high, 2)}; lower is better"
    )
    if difference.low > 0 and difference.value > limits.log_loss_rise:
        return Judgment(GateOutcome.FAIL, f"{measured}. It rose by more than the {limits.log_loss_rise:.2f} allowed.")
    within = f"; a rise of up to {limits.log_loss_rise:.2f} passes" if difference.low > 0 else ""
    return Judgment(GateOutcome.PASS, f"{measured}{within}.")


LOG_LOSS = Gate(
    "log_loss",
    "Its log-loss rose by no more than allowed",
    _judge,
    needs=frozenset({GateNeed.CHAMPION, GateNeed.HOLDOUT}),
)

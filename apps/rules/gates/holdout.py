"""The holdout is large enough to tell anything by."""

from apps.rules.gates.gate import Evidence, Gate, GateLimits, GateOutcome, Judgment
from apps.rules.words import count


def _judge(evidence: Evidence, limits: GateLimits) -> Judgment:
    n, missing = evidence.n_holdout, limits.least_holdout - evidence.n_holdout
    if missing > 0:
        sentence = f"Only {count(n, 'labeled holdout example')}; {missing} more would settle it."
        return Judgment(GateOutcome.INCONCLUSIVE, sentence, missing)
    return Judgment(GateOutcome.PASS, f"Measured on {count(n, 'labeled holdout example')}.")


HOLDOUT = Gate("holdout", "The holdout is large enough", _judge)

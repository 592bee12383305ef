"""The holdout is large enough to tell anything by."""

from apps.rules.gates.gate import Evidence, Gate, Judgment, Limits, Outcome
from apps.rules.words import count


def _judge(evidence: Evidence, limits: Limits) -> Judgment:
    n, missing = evidence.n_holdout, limits.least_holdout - evidence.n_holdout
    if missing > 0:
        sentence = f"Only {count(n, 'labeled holdout example')}; {missing} more would settle it."
        return Judgment(Outcome.INCONCLUSIVE, sentence, missing)
    return Judgment(Outcome.PASS, f"Measured on {count(n, 'labeled holdout example')}.")


HOLDOUT = Gate("holdout", "The holdout is large enough", _judge)

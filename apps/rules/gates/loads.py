"""The artifact loads, and every probability of it is a number."""

from apps.rules.gates.gate import Evidence, Gate, Judgment, Limits, Outcome


def _judge(evidence: Evidence, limits: Limits) -> Judgment:
    if not evidence.loaded:
        cause = evidence.load_error or "no cause was given"
        return Judgment(Outcome.FAIL, f"The artifact does not load: {cause}")
    if not evidence.finite:
        return Judgment(Outcome.FAIL, "Some of its probabilities are not numbers.")
    return Judgment(Outcome.PASS, "The artifact loads and every probability is a number.")


LOADS = Gate("loads", "It loads and answers", _judge)

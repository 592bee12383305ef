"""The artifact loads, and every probability of it is a number."""

from apps.rules.gates.gate import Evidence, Gate, GateOutcome, GateParameters, Judgment
from apps.rules.sentences import sentence


def _judge(evidence: Evidence, parameters: GateParameters) -> Judgment:
    if not evidence.loaded:
        cause = evidence.load_error or "no cause was given"
        return Judgment(GateOutcome.FAIL, sentence("The artifact does not load: {cause}", cause=cause))
    if not evidence.finite:
        return Judgment(GateOutcome.FAIL, sentence("Some of its probabilities are not numbers."))
    return Judgment(GateOutcome.PASS, sentence("The artifact loads and every probability is a number."))


LOADS = Gate("loads", "It loads and answers", _judge, parameters=GateParameters, required=True)

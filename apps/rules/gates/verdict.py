"""Whether a candidate may be released: what all gates say together. `metrics` measures; this decides."""

from dataclasses import dataclass

from apps.rules.gates.gate import Evidence, GateLimits, GateOutcome, GateResult
from apps.rules.gates.registry import GATES
from apps.rules.sentences import sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: GateOutcome
    gates: tuple[GateResult, ...]
    reason: str
    more_labels: int | None


def judge(evidence: Evidence, limits: GateLimits) -> Verdict:
    """Any fail fails; else any doubt is inconclusive; else pass."""
    gates = tuple(gate.result(evidence, limits) for gate in GATES.values())
    outcomes = {gate.outcome for gate in gates}
    outcome = next((o for o in (GateOutcome.FAIL, GateOutcome.INCONCLUSIVE) if o in outcomes), GateOutcome.PASS)
    more = max((gate.more_labels for gate in gates if gate.more_labels), default=None)
    return Verdict(outcome, gates, _summary(outcome, gates), more if outcome is GateOutcome.INCONCLUSIVE else None)


def _summary(outcome: GateOutcome, gates: tuple[GateResult, ...]) -> str:
    deciding = next((gate for gate in gates if gate.outcome is outcome), gates[-1])
    return sentence("All {n} gates pass.", n=len(gates)) if outcome is GateOutcome.PASS else deciding.reason

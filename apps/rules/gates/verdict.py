"""Whether a candidate may be released: what all gates say together. `metrics` measures; this decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.rules.gates.gate import Evidence, GateOutcome, GateResult
from apps.rules.gates.policy import GatePolicy, GateSettings, standing_policy
from apps.rules.sentences import sentence
from apps.rules.words import count


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: GateOutcome
    gates: tuple[GateResult, ...]
    reason: str
    more_labels: int | None


def judge(evidence: Evidence, policy: GatePolicy | None = None, beside: Sequence[GateResult] = ()) -> Verdict:
    """Any fail fails; else any doubt is inconclusive; else pass. What only warns is listed and decides nothing.

    Without a policy the standing gates judge. `beside` are results of gates that no policy has.
    """
    gates = (*(_result(evidence, settings) for settings in (policy or standing_policy()).gates), *beside)
    deciding = tuple(gate for gate in gates if gate.blocking)
    outcomes = {gate.outcome for gate in deciding}
    outcome = next((o for o in (GateOutcome.FAIL, GateOutcome.INCONCLUSIVE) if o in outcomes), GateOutcome.PASS)
    more = max((gate.more_labels for gate in deciding if gate.more_labels), default=None)
    return Verdict(outcome, gates, _summary(outcome, gates), more if outcome is GateOutcome.INCONCLUSIVE else None)


def _result(evidence: Evidence, settings: GateSettings) -> GateResult:
    gate, judgment = settings.gate, settings.judged(evidence)
    return GateResult(
        settings.called,
        gate.titled(evidence),
        judgment.outcome,
        judgment.reason,
        judgment.more_labels,
        gate.name,
        settings.blocking,
        judgment.details,
    )


def _summary(outcome: GateOutcome, gates: tuple[GateResult, ...]) -> str:
    deciding = [gate for gate in gates if gate.blocking]
    if outcome is not GateOutcome.PASS:
        return next(gate for gate in deciding if gate.outcome is outcome).reason
    warned = sum(gate.outcome is not GateOutcome.PASS for gate in gates)
    if not warned:
        return sentence("All {n} gates pass.", n=len(gates))
    return sentence("All {n} gates that block pass; {warnings}.", n=len(deciding), warnings=count(warned, "warning"))

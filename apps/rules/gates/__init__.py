"""Whether a candidate may be released, gate by gate, with reasons and with what would settle a doubt."""

from apps.rules.gates.doubt import doubtful, labels_to_settle, unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateLimits, GateNeed, GateOutcome, GateResult, Judgment
from apps.rules.gates.registry import GATES
from apps.rules.gates.verdict import Verdict, judge

__all__ = [
    "GATES",
    "Evidence",
    "Gate",
    "GateLimits",
    "GateNeed",
    "GateOutcome",
    "GateResult",
    "Judgment",
    "Verdict",
    "doubtful",
    "judge",
    "labels_to_settle",
    "unmeasured",
]

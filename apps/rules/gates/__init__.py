"""Whether a candidate may be released, gate by gate, with reasons and with what would settle a doubt."""

from apps.rules.gates.doubt import doubtful, labels_to_settle, unmeasured
from apps.rules.gates.gate import Evidence, Gate, GateNeed, GateResult, Judgment, Limits, Outcome
from apps.rules.gates.registry import GATES
from apps.rules.gates.verdict import Verdict, judge

__all__ = [
    "GATES",
    "Evidence",
    "Gate",
    "GateNeed",
    "GateResult",
    "Judgment",
    "Limits",
    "Outcome",
    "Verdict",
    "doubtful",
    "judge",
    "labels_to_settle",
    "unmeasured",
]

"""Whether a candidate may be released, gate by gate, with reasons and with what would settle a doubt."""

from apps.rules.gates.doubt import doubtful, labels_to_settle, unmeasured
from apps.rules.gates.drifted_slice import judge_drifted_slice
from apps.rules.gates.gate import (
    Evidence,
    Gate,
    GateNeed,
    GateOutcome,
    GateParameters,
    GateResult,
    HoldoutParameters,
    Judgment,
)
from apps.rules.gates.policy import GatePolicy, gate_policy_of, gate_policy_of_yaml, kept_gate_policy, standing_policy
from apps.rules.gates.registry import GATES
from apps.rules.gates.verdict import Verdict, judge

__all__ = [
    "GATES",
    "Evidence",
    "Gate",
    "GateNeed",
    "GateOutcome",
    "GateParameters",
    "GatePolicy",
    "GateResult",
    "HoldoutParameters",
    "Judgment",
    "Verdict",
    "doubtful",
    "gate_policy_of",
    "gate_policy_of_yaml",
    "judge",
    "judge_drifted_slice",
    "kept_gate_policy",
    "labels_to_settle",
    "standing_policy",
    "unmeasured",
]

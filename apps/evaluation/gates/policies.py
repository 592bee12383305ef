"""The policy of gates: which table it stands in, how it is read, what its edits are called."""

from apps.accounts.models import User
from apps.audit.verbs import Verb
from apps.evaluation.models import GatePolicyVersion
from apps.projects.policies.kinds import PolicyKind
from apps.rules.gates import GatePolicy, gate_policy_of, kept_gate_policy, standing_policy
from apps.rules.sentences import sentence


def _words(by: User, number: int, policy: GatePolicy) -> str:
    return sentence("{by} set gate policy {number}, {gates} gates.", by=by, number=number, gates=len(policy.gates))


GATE_POLICY = PolicyKind(
    table=GatePolicyVersion,
    name="gate policy",
    verb=Verb.GATE_POLICY_SET,
    checked=gate_policy_of,
    kept=kept_gate_policy,
    standing=standing_policy,
    words=_words,
)

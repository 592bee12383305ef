"""The release policy: which table it stands in, how it is read, what its edits are called."""

from apps.accounts.models import User
from apps.audit.verbs import Verb
from apps.projects.policies.kinds import PolicyKind
from apps.releases.models import ReleasePolicy
from apps.rules.rollouts.policy import AT_ONCE, RolloutPolicy, policy_of
from apps.rules.sentences import sentence


def _words(by: User, number: int, policy: RolloutPolicy) -> str:
    return sentence("{by} set release policy {number}, {steps} steps.", by=by, number=number, steps=len(policy.steps))


RELEASE_POLICY = PolicyKind(
    table=ReleasePolicy,
    name="release policy",
    verb=Verb.RELEASE_POLICY_SET,
    checked=policy_of,
    kept=policy_of,
    standing=lambda: AT_ONCE,
    words=_words,
)

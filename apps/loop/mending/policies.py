"""The alarm policy as one of the versioned policies of a project."""

from apps.audit.verbs import Verb
from apps.loop.models import AlarmPolicyVersion
from apps.projects.policies.kinds import PolicyKind
from apps.rules.mending import alarm_policy_of, kept_alarm_policy, standing_alarm_policy
from apps.rules.sentences import sentence

ALARM_POLICY = PolicyKind(
    table=AlarmPolicyVersion,
    name="alarm policy",
    verb=Verb.ALARM_POLICY_SET,
    checked=alarm_policy_of,
    kept=kept_alarm_policy,
    standing=standing_alarm_policy,
    words=lambda by, number, policy: sentence(
        "{by} set alarm policy {number}: roll back {rollback}, labels {lane}, training {retrain}.",
        by=by,
        number=number,
        rollback=policy.rollback.mode,
        lane=policy.lane.mode,
        retrain=policy.retrain.mode,
    ),
)

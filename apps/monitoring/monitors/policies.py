"""The policy of monitors as one of the versioned policies of a project."""

from apps.audit.verbs import Verb
from apps.monitoring.models import MonitorPolicyVersion
from apps.projects.policies.kinds import PolicyKind
from apps.rules.monitors import kept_monitor_policy, monitor_policy_of, standing_monitors
from apps.rules.sentences import sentence

MONITOR_POLICY = PolicyKind(
    table=MonitorPolicyVersion,
    name="monitor policy",
    verb=Verb.MONITOR_POLICY_SET,
    checked=monitor_policy_of,
    kept=kept_monitor_policy,
    standing=standing_monitors,
    words=lambda by, number, policy: sentence(
        "{by} set monitor policy {number}, {monitors} monitors.", by=by, number=number, monitors=len(policy.monitors)
    ),
)

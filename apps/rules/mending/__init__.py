"""What follows from an alarm: the policy of its links, which logged requests are asked about, which kind of run mends."""

from apps.rules.mending.kinds import KindAdvice, kind_for
from apps.rules.mending.picking import SlicePick, excess_of, slice_picks
from apps.rules.mending.policy import AlarmPolicy, LinkMode, alarm_policy_of, kept_alarm_policy, standing_alarm_policy

__all__ = [
    "AlarmPolicy",
    "KindAdvice",
    "LinkMode",
    "SlicePick",
    "alarm_policy_of",
    "excess_of",
    "kept_alarm_policy",
    "kind_for",
    "slice_picks",
    "standing_alarm_policy",
]

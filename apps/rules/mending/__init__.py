"""What follows from an alarm: the policy of its links, which logged requests are asked about, which kind of run mends."""

from apps.rules.mending.density import density_ratio, density_weights, effective
from apps.rules.mending.evidence import ContradictedAnswers, LaneVerdict, lane_verdict
from apps.rules.mending.kinds import KindAdvice, kind_for
from apps.rules.mending.picking import SlicePick, excess_of, slice_picks
from apps.rules.mending.policy import AlarmPolicy, LinkMode, alarm_policy_of, kept_alarm_policy, standing_alarm_policy
from apps.rules.mending.priors import prior_weights
from apps.rules.mending.shifts import ShiftAdvice, ShiftKind, as_before_given, shift_of
from apps.rules.mending.stale import stale_rows, wrong_parts

__all__ = [
    "AlarmPolicy",
    "ContradictedAnswers",
    "KindAdvice",
    "LaneVerdict",
    "LinkMode",
    "ShiftAdvice",
    "ShiftKind",
    "SlicePick",
    "alarm_policy_of",
    "as_before_given",
    "density_ratio",
    "density_weights",
    "effective",
    "excess_of",
    "kept_alarm_policy",
    "kind_for",
    "lane_verdict",
    "prior_weights",
    "shift_of",
    "slice_picks",
    "stale_rows",
    "standing_alarm_policy",
    "wrong_parts",
]

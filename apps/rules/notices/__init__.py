"""What people are told of: how loud it is, by which way it comes, when it waits, and who it goes to. Pure."""

from apps.rules.notices.levels import ASSIGNED, NoticeChannel, NoticeSeverity, channel_of, louder
from apps.rules.notices.policy import NoticePolicy, NoticeRoute, kept_notice_policy, notice_policy_of, standing_notices
from apps.rules.notices.quiet import QuietHours, quiet_ends
from apps.rules.notices.snoozing import SnoozeSpan, snooze_ends

__all__ = [
    "ASSIGNED",
    "NoticeChannel",
    "NoticePolicy",
    "NoticeRoute",
    "NoticeSeverity",
    "QuietHours",
    "SnoozeSpan",
    "channel_of",
    "kept_notice_policy",
    "louder",
    "notice_policy_of",
    "quiet_ends",
    "snooze_ends",
    "standing_notices",
]

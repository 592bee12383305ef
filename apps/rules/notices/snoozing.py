"""How long a notice may be put off."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

MORNING = time(8)  # when tomorrow begins for whoever puts something off


class SnoozeSpan(StrEnum):
    HOUR = "hour"
    TOMORROW = "tomorrow"
    WEEK = "week"


def snooze_ends(span: SnoozeSpan, at: datetime, zone: tzinfo) -> datetime:
    """When it comes back, in UTC; tomorrow is eight in the morning, where the person is.

    >>> from zoneinfo import ZoneInfo
    >>> noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    >>> str(snooze_ends(SnoozeSpan.TOMORROW, noon, ZoneInfo("Europe/Madrid")))
    '2026-11-03 07:00:00+00:00'
    """
    if span is SnoozeSpan.HOUR:
        return at + timedelta(hours=1)
    if span is SnoozeSpan.WEEK:
        return at + timedelta(days=7)
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, MORNING, zone).astimezone(UTC)

"""Hours in which a person wants no mail, in their zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """From one time of day to another, over midnight where it ends before it begins."""

    begins: time
    ends: time
    zone: ZoneInfo


def quiet_ends(hours: QuietHours, at: datetime) -> datetime | None:
    """When mail may go again, in UTC; None where it may go now.

    A time of day that comes twice when clocks go back counts once, the first time; one that is skipped when they go forward
    counts by the clock before.
    """
    return max((end for begin, end in _stretches(hours, at) if begin <= at < end), default=None)


def _stretches(hours: QuietHours, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Those that may hold the moment."""
    today = at.astimezone(hours.zone).date()
    over_midnight = hours.ends <= hours.begins
    for back in (2, 1, 0):
        day = today - timedelta(days=back)
        last = day + timedelta(days=over_midnight)
        yield (
            datetime.combine(day, hours.begins, hours.zone).astimezone(UTC),
            datetime.combine(last, hours.ends, hours.zone).astimezone(UTC),
        )

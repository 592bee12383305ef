"""How pages say moments: in the reader's zone (the one that is active), 24 h, in the reader's language.

The API, CSV files and `datetime` attributes stay ISO 8601 in UTC. A clock format that stands anywhere else fails a test.
"""

from datetime import date, datetime, time, timedelta, tzinfo

from django.utils import formats, timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext

RECENT = timedelta(days=1)  # the time of day says it alone


def day_of(at: datetime | date) -> str:
    """29 Nov 2026."""
    return _written(_local(at), "j M Y")


def stamp_of(at: datetime) -> str:
    """29 Nov 2026, 14:32."""
    return _written(_local(at), "j M Y, H:i")


def exact_of(at: datetime) -> str:
    """29 Nov 2026, 14:32:07."""
    return _written(_local(at), "j M Y, H:i:s")


def clock_of(at: datetime) -> str:
    """29 Nov, 14:32: the ends of a span."""
    return _written(_local(at), "j M, H:i")


def moment_of(at: datetime) -> str:
    """14:32 within the last day, before that 3 Nov."""
    return _written(_local(at), "H:i" if timezone.now() - at < RECENT else "j M")


def second_of(at: datetime) -> str:
    """14:32:07, a line of a log."""
    return formats.date_format(_local(at), "H:i:s")


def weekday_in(at: datetime, zone: tzinfo) -> str:
    """Sun 29 Nov, 14:32, in a zone of its own: what comes within the week."""
    return _written(timezone.localtime(at, zone), "D j M, H:i")


def hours_of(at: time) -> str:
    """14:32, a time of day that somebody set."""
    return formats.time_format(at, "H:i")


def month_of(at: date) -> str:
    """November 2026."""
    return formats.date_format(at, "F Y")


def zone_words(at: datetime | None = None) -> str:
    """Europe/Madrid (UTC+1): the zone that the page's moments are in, with what it is ahead of UTC at that time."""
    name = timezone.get_current_timezone_name()
    ahead = timezone.localtime(at or timezone.now()).utcoffset() or timedelta()
    minutes = round(ahead.total_seconds() / 60)
    if name == "UTC":
        return name
    hours, rest = divmod(abs(minutes), 60)
    sign = "\N{MINUS SIGN}" if minutes < 0 else "+"
    apart = f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")
    return gettext("{zone} ({apart})").format(zone=name.replace("_", " "), apart=apart)


def _written(at: datetime | date, form: str) -> str:
    """Months begin with a capital only in languages that write them so."""
    return formats.date_format(at, form.replace("M", "b") if str(MONTHS[1]).islower() else form)


def _local(at: datetime | date) -> datetime | date:
    return timezone.localtime(at) if isinstance(at, datetime) and timezone.is_aware(at) else at

"""The one rule of moments, for every door: what is understood, what is refused, and never a guess between two days."""

import re
from calendar import month_abbr
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

from apps.rules.sentences import sentence, term
from apps.rules.values.refusals import ValueRefused, shown

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # clocks that are wrong, and zones that were forgotten
# A count since 1970 by its size: until the year 2286 each unit stays below the next one's year 1970.3.
_UNITS = ((10**11, 10**6), (10**14, 10**3), (10**17, 1))  # (below, microseconds of one)
_MONTHS = {name.lower(): number for number, name in enumerate(month_abbr) if name}
_ZONE = re.compile(r"\s*(?:(Z|UTC|GMT)|([+-])(\d{2}):?(\d{2})?)$", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp])?\.?(?:[Mm]\.?)?$")
_THREE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})$")
_NAMED = re.compile(r"(?:[A-Za-z]{3,9},?\s+)?(\d{1,2})[\s-]([A-Za-z]{3,9})\.?,?[\s-](\d{4})$")
_NAMED_FIRST = re.compile(r"(?:[A-Za-z]{3,9},\s+)?([A-Za-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})$")
HOW = term("Write it as 2026-10-31T09:30:00Z.")

THE_MOMENT = term("The moment")


def moment_of(value: Any, *, now: datetime, name: str = THE_MOMENT) -> datetime | None:
    """A moment in UTC; None where nothing is said (empty, NaN). A zone that is not said is UTC.

    Takes ISO 8601, counts of seconds, milliseconds or microseconds since 1970, and days such as 13.10.2026, 13/10/2026
    or 13 Oct 2026 with a time behind them. Raises ValueRefused for what is not understood, may be two days, or lies
    outside 1970 to a day from `now`.

    >>> then = datetime(2026, 11, 1, tzinfo=UTC)
    >>> moment_of(1780123012345, now=then).isoformat(), moment_of("13.10.2026 09:30", now=then).isoformat()
    ('2026-05-30T06:36:52.345000+00:00', '2026-10-13T09:30:00+00:00')
    """
    found = _read(value, name)
    if found is None:
        return None
    try:
        moment = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, ValueError):
        raise ValueRefused(_outside(name, value)) from None
    if not EARLIEST <= moment <= now + AHEAD:
        raise ValueRefused(_outside(name, value))
    return moment


def _read(value: Any, name: str) -> datetime | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, Decimal) and value.is_nan():
        return None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _counted(value, name)
    if isinstance(value, str):
        return _written(value.strip(), name) if value.strip() else None
    raise ValueRefused(sentence("{name} is not a moment: “{value}”. {how}", name=name, value=shown(value), how=HOW))


def _counted(value: int | float | Decimal, name: str) -> datetime:
    """Since 1970. Eight digits that are a day are that day, as 20261013; four digits are a year, and no moment."""
    if 1900 <= value <= 2100:
        raise ValueRefused(
            sentence("{name} is not a moment: “{value}” is a year. {how}", name=name, value=shown(value), how=HOW)
        )
    day = _compact(value)
    if day is not None:
        return day
    for below, microseconds in _UNITS:
        if -below < value < below:
            exact = value if isinstance(value, int) else Decimal(repr(value)) if isinstance(value, float) else value
            with suppress(OverflowError):  # long before Christ; the bounds say it in words
                return EARLIEST + timedelta(microseconds=int(exact * microseconds))
    raise ValueRefused(_outside(name, value))


def _compact(value: int | float | Decimal) -> datetime | None:
    if not 19700101 <= value <= 99991231 or value != int(value):
        return None
    try:
        return datetime.strptime(str(int(value)), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _written(text: str, name: str) -> datetime:
    if len(text) > 64:
        raise ValueRefused(sentence("{name} is not a moment: “{value}”. {how}", name=name, value=shown(text), how=HOW))
    if re.fullmatch(r"[+-]?[0-9]+([.][0-9]+)?", text):
        return _counted(int(text) if text.lstrip("+-").isdigit() else Decimal(text), name)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return _spelled(text, name)
    except (ValueError, OverflowError) as cause:
        if isinstance(cause, ValueRefused):
            raise
        raise ValueRefused(
            sentence(
                "{name} is not a moment: “{value}” was not understood. {how}", name=name, value=shown(text), how=HOW
            )
        ) from None


def _spelled(text: str, name: str) -> datetime:
    """Raises ValueError for what is no moment, ValueRefused with its own words for what may be two."""
    zone, rest = _zone(text)
    clock, day = time(), rest
    found = _TIME.search(rest)
    if found:
        clock, day = _clock(found), re.sub(r"(?:[\s,]+|T)(?:at\s+)?$", "", rest[: found.start()])
    elif zone is not None:
        day = rest
    return datetime.combine(_day(day.strip(), name, text), clock, zone)


def _zone(text: str) -> tuple[tzinfo | None, str]:
    found = _ZONE.search(text)
    if not found or (found[2] and ":" not in text[: found.start()]):  # the end of 13-10-2026 is no zone
        return None, text
    if found[1]:
        return UTC, text[: found.start()]
    offset = timedelta(hours=int(found[3]), minutes=int(found[4] or 0))
    return timezone(-offset if found[2] == "-" else offset), text[: found.start()]


def _clock(found: "re.Match[str]") -> time:
    hour, half = int(found[1]), (found[5] or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError("no hour of half a day")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, int(found[2]), int(found[3] or 0), int((found[4] or "0")[:6].ljust(6, "0")))


def _day(day: str, name: str, text: str) -> date:
    three = _THREE.match(day)
    if three:
        return _of_three(three[1], three[2], int(three[3]), three[4], name, text)
    named, first = _NAMED.match(day), _NAMED_FIRST.match(day)
    if named:
        return date(int(named[3]), _month(named[2]), int(named[1]))
    if first:
        return date(int(first[3]), _month(first[1]), int(first[2]))
    raise ValueError("no day")


def _month(word: str) -> int:
    number = _MONTHS.get(word[:3].lower())
    if number is None:
        raise ValueError("no month")
    return number


def _of_three(first: str, mark: str, second: int, third: str, name: str, text: str) -> date:
    """Year first as ISO has it; dots mean day first; of slashes and hyphens only what is one day in every country."""
    if len(first) == 4:
        return date(int(first), second, int(third))
    if len(third) != 4:
        raise ValueRefused(
            sentence(
                "{name} is not a moment: “{value}” has no year of four digits. {how}",
                name=name,
                value=shown(text),
                how=HOW,
            )
        )
    year, one = int(third), int(first)
    if mark == "." or one > 12 or one == second:
        return date(year, second, one)
    if second > 12:
        return date(year, one, second)
    days = sentence("{first} or {second}", first=f"{year}-{second:02}-{one:02}", second=f"{year}-{one:02}-{second:02}")
    raise ValueRefused(
        sentence(
            "{name} is not one moment: “{value}” may be {days}. {how}", name=name, value=shown(text), days=days, how=HOW
        )
    )


def _outside(name: str, value: Any) -> str:
    return f"{name} is not a moment: “{shown(value)}” lies outside 1970 to tomorrow. {HOW}"

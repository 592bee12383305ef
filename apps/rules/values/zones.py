"""The one rule of time zones: names of the IANA database, as a browser and `zoneinfo` both know them."""

import re
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

MOST_ZONE = 63  # characters; the longest today has 32
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")  # nothing that leads out of a folder


@lru_cache(maxsize=700)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone of that name; None where there is none.

    >>> str(zone_of("Europe/Madrid")), zone_of("Madrid"), zone_of("../../etc/localtime"), zone_of("")
    ('Europe/Madrid', None, None, None)
    """
    if len(name) > MOST_ZONE or not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@cache
def zone_names() -> tuple[str, ...]:
    """Every zone that names a place, and UTC first; not the abbreviations and the links of long ago.

    >>> zone_names()[:2], "Asia/Kathmandu" in zone_names(), "EST5EDT" in zone_names()
    (('UTC', 'Africa/Abidjan'), True, False)
    """
    places = (
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/"))
    )
    return ("UTC", *sorted(places))

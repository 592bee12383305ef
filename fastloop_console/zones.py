"""The zone of each request: what the person chose, else what their browser said once by a cookie, else the console's.

The API has none of it: its moments are UTC.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from functools import cached_property

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.rules.values.zones import zone_of

COOKIE = "time_zone"  # written by static/theme.js


def zone_of_browser(request: HttpRequest) -> tzinfo:
    return zone_of(request.COOKIES.get(COOKIE, "")) or timezone.get_default_timezone()


class _ReadersZone(tzinfo):
    """Looked up when the first moment is said: a request that says none asks no table who it is from."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def zone(self) -> tzinfo:
        chosen = getattr(self._request.user, "time_zone", "") if hasattr(self._request, "user") else ""
        return zone_of(chosen) or zone_of_browser(self._request)

    def utcoffset(self, at: datetime | None, /) -> timedelta | None:
        return self.zone.utcoffset(at and at.replace(tzinfo=self.zone))

    def dst(self, at: datetime | None, /) -> timedelta | None:
        return self.zone.dst(at and at.replace(tzinfo=self.zone))

    def tzname(self, at: datetime | None, /) -> str | None:
        return self.zone.tzname(at and at.replace(tzinfo=self.zone))

    def fromutc(self, at: datetime, /) -> datetime:
        return self.zone.fromutc(at.replace(tzinfo=self.zone))

    def __str__(self) -> str:
        return str(self.zone)


class TimeZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):
            return self.get_response(request)
        with timezone.override(_ReadersZone(request)):
            return self.get_response(request)

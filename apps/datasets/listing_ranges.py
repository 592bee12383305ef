"""Ranges that the table of examples is asked for: how sure its label is, when an example came, when it was labeled."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from apps.pages.asked import text_asked
from apps.projects.models import Project
from apps.rules.values import ValueRefused
from apps.rules.values.moments import moment_of

ENDS = ("added_from", "added_to", "labeled_from", "labeled_to")
ON_PAGES = ("percent_min", "percent_max", *ENDS)  # people type percent, programs shares of one
IN_API = ("confidence_min", "confidence_max", *ENDS)
RANGES = dict.fromkeys((*ON_PAGES, *IN_API))


@dataclass(frozen=True)
class RangesAsked:
    """Read from an address. A day counts whole, in the reader's zone; what is not understood is among `not_understood`."""

    query: QueryDict

    def text(self, name: str) -> str:
        return text_asked(self.query, name)

    def share(self, end: str) -> float | None:
        """`end` is min or max."""
        given = share_of(self.text(f"confidence_{end}"), whole=1)
        return share_of(self.text(f"percent_{end}"), whole=100) if given is None else given

    @property
    def percent_min(self) -> str:
        return self.text("percent_min")

    @property
    def percent_max(self) -> str:
        return self.text("percent_max")

    @property
    def added_from(self) -> str:
        return self.text("added_from")

    @property
    def added_to(self) -> str:
        return self.text("added_to")

    @property
    def labeled_from(self) -> str:
        return self.text("labeled_from")

    @property
    def labeled_to(self) -> str:
        return self.text("labeled_to")

    @property
    def understood(self) -> list[str]:
        return [name for name in RANGES if self.text(name) and self._understood(name)]

    @property
    def any(self) -> bool:
        return bool(self.understood)

    @property
    def not_understood(self) -> list[str]:
        return [name for name in RANGES if self.text(name) and not self._understood(name)]

    def _understood(self, name: str) -> bool:
        given = self.text(name)
        if name in ENDS:
            return ends_of(given) is not None
        return share_of(given, whole=100 if name.startswith("percent") else 1) is not None

    def condition_in(self, project: Project) -> Q:
        """Both ends belong to what is found. A label's project and side are said too: its indexes begin with them."""
        found = Q()
        asked = {name.split("_")[0] for name in self.understood}
        if asked - {"added"}:
            found &= Q(label__project=project)
        if "labeled" in asked:
            found &= Q(label__holdout__in=(False, True))
        if (least := self.share("min")) is not None:
            found &= Q(label__confidence__gte=least)
        if (most := self.share("max")) is not None:
            found &= Q(label__confidence__lte=most)
        for what, column in (("added", "ingested_at"), ("labeled", "label__resolved_at")):
            if begin := ends_of(self.text(f"{what}_from")):
                found &= Q(**{f"{column}__gte": begin[0]})
            if end := ends_of(self.text(f"{what}_to")):
                found &= Q(**{f"{column}__lt": end[1]})
        return found


def share_of(given: str, *, whole: int) -> float | None:
    """Of one.

    >>> share_of("0.8", whole=1), share_of("80", whole=100), share_of("0,5 %", whole=100), share_of("nan", whole=1)
    (0.8, 0.8, 0.005, None)
    """
    words = given.replace(",", ".").removesuffix("%").strip()
    try:
        value = float(words) / whole if words.isascii() else math.nan
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def ends_of(given: str) -> tuple[datetime, datetime] | None:
    """The first moment that belongs to it and the first after it: of a whole day where only a day is said."""
    try:
        day = date.fromisoformat(given) if len(given) == 10 else None
    except ValueError:
        day = None
    if day is not None:
        if not 1970 <= day.year <= 9998:
            return None
        zone = timezone.get_current_timezone()
        begin, end = (datetime.combine(d, time(), zone) for d in (day, day + timedelta(days=1)))
        return begin.astimezone(UTC), end.astimezone(UTC)
    try:
        moment = moment_of(given, now=datetime(9998, 1, 1, tzinfo=UTC))
    except ValueRefused:
        return None
    return (moment, moment + timedelta(microseconds=1)) if moment else None

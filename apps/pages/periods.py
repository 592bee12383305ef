"""The stretch of time that charts show: one picker on every page that has a time axis, and what was chosen last goes on.

A page that nobody chose for shows what fits it best. Days are days of the reader's zone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from apps.errors import Invalid
from apps.rules.values.moments import EARLIEST

NAMED: dict[str, tuple[str | Promise, timedelta]] = {
    "1h": (gettext_lazy("Last hour"), timedelta(hours=1)),
    "24h": (gettext_lazy("24 hours"), timedelta(hours=24)),
    "7d": (gettext_lazy("7 days"), timedelta(days=7)),
    "30d": (gettext_lazy("30 days"), timedelta(days=30)),
    "90d": (gettext_lazy("90 days"), timedelta(days=90)),
    "365d": (gettext_lazy("12 months"), timedelta(days=365)),
}
KEPT = "period"  # in the session: the query of what was chosen last
BUCKETS = 64  # about so many fit a chart
STEPS = (
    *(timedelta(minutes=m) for m in (1, 5, 30)),
    *(timedelta(hours=h) for h in (3, 12)),
    *(timedelta(days=d) for d in (1, 7, 28, 365)),
)


@dataclass(frozen=True)
class Period:
    """After `since`, up to `until`; `name` is empty where the days were given one by one."""

    name: str
    since: datetime
    until: datetime

    @property
    def span(self) -> timedelta:
        return self.until - self.since

    @property
    def step(self) -> timedelta:
        """How wide a bucket is: the narrowest step that gives about BUCKETS of them."""
        return next((step for step in STEPS if self.span <= BUCKETS * step), STEPS[-1])

    @property
    def title(self) -> str:
        if self.name:
            return str(NAMED[self.name][0])
        return gettext("{first} to {last}").format(first=self.first.isoformat(), last=self.last.isoformat())

    @property
    def first(self) -> date:
        return timezone.localdate(self.since)

    @property
    def last(self) -> date:
        """The last day shown."""
        return timezone.localdate(self.until - timedelta(microseconds=1))

    @property
    def query(self) -> str:
        """What an address says of it."""
        if self.name:
            return urlencode({"period": self.name})
        return urlencode({"from": self.first.isoformat(), "to": self.last.isoformat()})

    @property
    def choices(self) -> list[tuple[str, str | Promise]]:
        return [(name, title) for name, (title, _) in NAMED.items()]


def period_named(name: str, at: datetime) -> Period:
    """Up to now. Raises Invalid."""
    if name not in NAMED:
        raise Invalid(
            gettext("The period “{name}” is not known. Known are {periods}.").format(
                name=name[:20], periods=", ".join(NAMED)
            )
        )
    return Period(name, at - NAMED[name][1], at)


def period_of_days(first: str, last: str, at: datetime) -> Period:
    """Whole days of the reader's zone, both of them shown; today where `last` is not said. Raises Invalid."""
    today = timezone.localdate(at)
    begins, ends = _day(first), _day(last) if last else today
    if begins > today:
        raise Invalid(gettext("The period begins on {first}, which is to come.").format(first=begins.isoformat()))
    if begins > ends:
        raise Invalid(
            gettext("The period ends on {last}, before it begins on {first}.").format(
                last=ends.isoformat(), first=begins.isoformat()
            )
        )
    return Period("", _midnight(begins), _midnight(min(ends, today) + timedelta(days=1)))


def _day(words: str) -> date:
    try:
        found = date.fromisoformat(words)
    except ValueError:
        found = date.min
    if not EARLIEST.date() <= found < date(9000, 1, 1):
        raise Invalid(gettext("“{day}” is not a day. Write it as 2026-10-31.").format(day=words[:20]))
    return found


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time())).astimezone(UTC)


def that_fits(first: datetime | None, at: datetime, *, among: Sequence[str], otherwise: str) -> str:
    """The first of `among` that reaches back to `first`: a young project's hour is no bar in an empty month."""
    fits = (name for name in among if first and at - first <= NAMED[name][1])
    return next(fits, otherwise)


def period_asked(request: HttpRequest, at: datetime, fitting: Callable[[], str], *, keep: bool = False) -> Period:
    """What the address says, else what was chosen last, else the name that `fitting` finds. Raises Invalid.

    A page keeps a choice for the other pages of this session; its fragments and figures ask by an address and keep nothing.
    """
    asked = request.GET
    if asked.get("from") or asked.get("to"):
        found = period_of_days(asked.get("from", ""), asked.get("to", ""), at)
    elif name := asked.get("period", ""):
        found = period_named(name, at)
    else:
        return _kept(request, at) or period_named(fitting(), at)
    if keep and request.session.get(KEPT) != found.query:
        request.session[KEPT] = found.query
    return found


def _kept(request: HttpRequest, at: datetime) -> Period | None:
    asked = QueryDict(request.session.get(KEPT, ""))
    try:
        if asked.get("from"):
            return period_of_days(asked["from"], asked.get("to", ""), at)
        return period_named(asked["period"], at) if "period" in asked else None
    except Invalid:  # kept by another release
        return None

"""The picker of periods: what addresses say, what goes on, and what is refused in words."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.test import RequestFactory
from django.utils import timezone

from apps.errors import Invalid
from apps.pages.periods import BUCKETS, NAMED, Period, period_asked, period_named, period_of_days, that_fits
from tests.conftest import NOON


def asked(query: str, session: SessionBase, *, keep: bool = True) -> Period:
    request = RequestFactory().get(f"/?{query}")
    request.session = session
    return period_asked(request, NOON, lambda: "24h", keep=keep)


def test_what_was_chosen_on_one_page_is_shown_on_the_next() -> None:
    session = SessionBase()
    assert asked("", session).name == "24h", "nobody has chosen: what fits the page"
    assert asked("period=7d", session).since == NOON - timedelta(days=7)
    assert asked("", session).name == "7d"
    assert asked("period=1h", session, keep=False).name == "1h", "a figure asks for its own"
    assert asked("", session).name == "7d"
    assert asked("from=2026-10-01&to=2026-10-03", session).name == ""
    kept = asked("", session)
    assert (kept.first.isoformat(), kept.last.isoformat()) == ("2026-10-01", "2026-10-03")
    assert kept.query == "from=2026-10-01&to=2026-10-03"


@pytest.mark.parametrize("kept", ["period=century", "from=never", "nonsense", ""])
def test_what_another_release_kept_is_forgotten(kept: str) -> None:
    session = SessionBase()
    session["period"] = kept
    assert asked("", session).name == "24h"


def test_days_are_whole_days_of_the_readers_zone_and_end_today() -> None:
    with timezone.override("Asia/Kolkata"):
        found = period_of_days("2026-10-31", "2026-11-09", NOON)
        assert found.since == datetime(2026, 10, 30, 18, 30, tzinfo=UTC)
        assert found.until == datetime(2026, 11, 2, 18, 30, tzinfo=UTC), "today is the last day"
        assert (found.first.isoformat(), found.last.isoformat()) == ("2026-10-31", "2026-11-02")
        assert period_of_days("2026-11-02", "", NOON).span == timedelta(days=1)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2026-10-09", "2026-10-01", "ends on 2026-10-01, before it begins on 2026-10-09"),
        ("2026-11-09", "", "begins on 2026-11-09, which is to come"),
        ("yesterday", "", "“yesterday” is not a day. Write it as 2026-10-31."),
        ("", "2026-10-01", "“” is not a day"),
        ("0001-01-01", "2026-10-01", "“0001-01-01” is not a day"),
        ("2026-10-01", "9999-12-31", "“9999-12-31” is not a day"),
        ("2026-10-01\x00", "", "is not a day"),
    ],
)
def test_days_that_are_none_are_refused_in_words(first: str, last: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        period_of_days(first, last, NOON)
    assert sentence in refused.value.message


def test_no_period_has_more_buckets_than_a_chart_shows() -> None:
    for name in NAMED:
        found = period_named(name, NOON)
        assert found.span <= BUCKETS * found.step
    ages = period_of_days("1970-01-01", "2026-11-02", NOON)
    assert ages.span <= BUCKETS * ages.step


def test_a_page_shows_the_shortest_that_holds_all_it_has() -> None:
    among = ("1h", "24h", "7d")
    for age, name in ((timedelta(minutes=5), "1h"), (timedelta(hours=2), "24h"), (timedelta(days=90), "30d")):
        assert that_fits(NOON - age, NOON, among=among, otherwise="30d") == name
    assert that_fits(None, NOON, among=among, otherwise="30d") == "30d"

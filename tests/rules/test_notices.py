"""Quiet hours, snoozes, levels and routes, without a table."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from apps.rules.notices import (
    NoticeSeverity,
    QuietHours,
    SnoozeSpan,
    notice_policy_of,
    quiet_ends,
    snooze_ends,
    standing_notices,
)
from apps.rules.policies import PolicyRefused

MADRID = ZoneInfo("Europe/Madrid")


def at(text: str) -> datetime:
    """In UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHT = QuietHours(time(22), time(7), MADRID)


@pytest.mark.parametrize(
    ("hours", "moment", "ends"),
    [
        (NIGHT, "2026-11-02 20:59", None),  # 21:59 in Madrid
        (NIGHT, "2026-11-02 21:00", "2026-11-03 06:00"),
        (NIGHT, "2026-11-03 05:59:59", "2026-11-03 06:00"),
        (NIGHT, "2026-11-03 06:00", None),
        (NIGHT, "2026-03-28 22:00", "2026-03-29 05:00"),  # clocks go forward that night: seven hours, not eight
        (NIGHT, "2026-10-24 21:00", "2026-10-25 06:00"),  # and back
        (QuietHours(time(13), time(15), MADRID), "2026-11-02 12:30", "2026-11-02 14:00"),
        (QuietHours(time(13), time(15), MADRID), "2026-11-02 22:30", None),
        (QuietHours(time(7), time(0), MADRID), "2026-11-02 12:30", "2026-11-02 23:00"),  # until midnight
    ],
)
def test_quiet_hours_are_of_the_persons_zone_and_go_over_midnight(hours, moment, ends):
    assert quiet_ends(hours, at(moment)) == (at(ends) if ends else None)


def test_an_end_that_comes_twice_when_clocks_go_back_is_the_first_one():
    hours = QuietHours(time(22), time(2, 30), MADRID)
    assert quiet_ends(hours, at("2026-10-25 00:15")) == at("2026-10-25 00:30")
    assert quiet_ends(hours, at("2026-10-25 01:15")) is None, "02:15 comes a second time, and nobody is quiet any more"


def test_an_end_that_is_skipped_when_clocks_go_forward_still_comes():
    hours = QuietHours(time(22), time(2, 30), MADRID)
    ends = quiet_ends(hours, at("2026-03-29 00:45"))
    assert ends == at("2026-03-29 01:30") and quiet_ends(hours, ends) is None


@pytest.mark.parametrize(
    ("span", "moment", "ends"),
    [
        (SnoozeSpan.HOUR, "2026-11-02 12:00", "2026-11-02 13:00"),
        (SnoozeSpan.TOMORROW, "2026-11-02 23:30", "2026-11-04 07:00"),  # after midnight in Madrid
        (SnoozeSpan.TOMORROW, "2026-10-24 12:00", "2026-10-25 07:00"),  # 8:00, after the clocks went back
        (SnoozeSpan.WEEK, "2026-11-02 12:00", "2026-11-09 12:00"),
    ],
)
def test_a_snooze_ends_where_the_person_is(span, moment, ends):
    assert snooze_ends(span, at(moment), MADRID) == at(ends)


def test_a_policy_reaches_roles_and_people():
    policy = notice_policy_of({"routes": [{"severity": "alarm", "roles": ["manager"], "people": ["lin"]}]})
    assert policy.reaches("alarm", role="manager", username="mona")
    assert policy.reaches("alarm", role="engineer", username="lin")
    assert not policy.reaches("alarm", role="engineer", username="linus")
    assert not policy.reaches("warning", role="manager", username="lin")


def test_the_standing_policy_leaves_whoever_labels_alone():
    standing = standing_notices()
    for severity in NoticeSeverity:
        assert not standing.reaches(severity, role="annotator", username="ada")
        assert standing.reaches(severity, role="engineer", username="lin")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"routes": [{"severity": "loud"}]}, "one of"),
        ({"routes": [{"severity": "alarm", "roles": ["boss"]}]}, "the role “boss” is not known"),
        ({"routes": [{"severity": "alarm"}, {"severity": "alarm"}]}, "has two routes"),
        ({"routes": [{"severity": "alarm", "people": ["x" * 151]}]}, "people"),
        ({"routes": [{"severity": "alarm", "who": []}]}, "“who” is not known here"),
        ([], "it is a mapping"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_in_words(given, words):
    with pytest.raises(PolicyRefused, match=words):
        notice_policy_of(given)

"""Snooze, assign, comment, resolve: what is refused, who was first, and that each stands in the trail."""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from apps.audit.models import Event
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.monitoring.models import Alert
from apps.monitoring.services import alert_resolve
from apps.notices.models import Notice, NoticeComment
from apps.notices.services import NoticeChanged, notice_assign, notice_comment, notice_resolve, notice_snooze
from apps.projects.membership import member_remove
from tests.conftest import NOON
from tests.labeling.conftest import at_once

UTC = ZoneInfo("UTC")
HOUR = timedelta(hours=1)


@pytest.fixture
def notice(project, drifted, collected):
    drifted(project)
    collected()
    return Notice.objects.get()


def trail(verb):
    return list(Event.objects.filter(verb=verb).order_by("pk").values_list("sentence", flat=True))


def test_each_act_stands_in_the_trail_with_what_it_was_about(notice, mona, lin):
    notice_snooze(notice=notice, span="hour", by=mona, at=NOON, zone=UTC)
    notice_snooze(notice=notice, span="", by=mona, at=NOON, zone=UTC)
    notice_assign(notice=notice, username="LIN", by=mona, at=NOON)
    notice_comment(notice=notice, text="It is the new camera.", by=lin, at=NOON)
    notice_resolve(notice=notice, note="A new camera.", by=lin, at=NOON)
    assert trail(Verb.NOTICE_SNOOZED) == [
        "Mona snoozed a notice until 2026-11-02 13:00 UTC: Drift: ham rose.",
        "Mona took a notice back from its snooze: Drift: ham rose.",
    ]
    assert trail(Verb.NOTICE_ASSIGNED) == ["Mona gave a notice to Lin: Drift: ham rose."]
    assert trail(Verb.NOTICE_COMMENTED) == ["Lin commented on a notice: Drift: ham rose."]
    assert trail(Verb.NOTICE_RESOLVED) == ["Lin closed a notice, “A new camera.”: Drift: ham rose."]
    assert Event.objects.get(verb=Verb.NOTICE_RESOLVED).after == {"note": "A new camera."}


def test_resolving_closes_the_alarm_of_the_monitor_with_the_same_note(notice, mona):
    notice_resolve(notice=notice, note="A holiday.", by=mona, at=NOON)
    alert = Alert.objects.get()
    assert (alert.resolved_by, alert.note) == (mona, "A holiday.")


def test_an_alarm_that_was_closed_a_moment_before_lets_the_notice_be_closed(project, notice, mona, lin):
    alert_resolve(project=project, alert_id=Alert.objects.get().pk, note="First.", by=lin, at=NOON)
    notice_resolve(notice=notice, note="Second.", by=mona, at=NOON)
    assert (Alert.objects.get().note, Notice.objects.get().note) == ("First.", "Second.")


def test_the_slower_of_two_is_told_who_was_first_and_nothing_of_theirs_is_set(notice, mona, lin):
    seen = notice.turn
    notice_assign(notice=notice, username="lin", by=lin, at=NOON, over=seen)
    with pytest.raises(NoticeChanged, match=r"Lin was first: it is assigned to Lin\. Nothing of yours is set\."):
        notice_assign(notice=notice, username="mona", by=mona, at=NOON, over=seen)
    with pytest.raises(NoticeChanged, match="Lin was first"):
        notice_snooze(notice=notice, span="hour", by=mona, at=NOON, zone=UTC, over=seen)
    kept = Notice.objects.get()
    assert (kept.assigned_to, kept.snoozed_until) == (lin, None)
    notice_resolve(notice=notice, note="Mended.", by=lin, at=NOON, over=kept.turn)
    with pytest.raises(NoticeChanged, match=r"Lin closed this already: “Mended\.”"):
        notice_resolve(notice=notice, note="Mine.", by=mona, at=NOON, over=kept.turn)
    assert Notice.objects.get().note == "Mended."


@pytest.mark.django_db(transaction=True)
def test_of_two_who_resolve_at_once_one_is_told_who_was_first(project, mona, lin, drifted, collected):
    for n in range(10):
        drifted(project, kind=f"cause-{n}", at=NOON)
        collected()
        notice = Notice.objects.filter(kind="monitor").first()
        acts = [partial(notice_resolve, notice=notice, note=f"By {by}.", by=by, at=NOON, over=0) for by in (mona, lin)]
        errors = at_once(*acts)
        assert [type(error) for error in errors] == [NoticeChanged]
        notice.refresh_from_db()
        assert f"“{notice.note}”" in str(errors[0]) and str(notice.resolved_by) in str(errors[0])


@pytest.mark.parametrize(
    ("username", "words"),
    [("mallory", "is no member"), ("ada", "Ada may not act on it"), ("nobody\x00", "is no member")],
)
def test_it_is_given_only_to_members_who_may_act(notice, mona, mallory, username, words):
    with pytest.raises(Invalid, match=words):
        notice_assign(notice=notice, username=username, by=mona, at=NOON)
    assert Notice.objects.get().assigned_to is None and trail(Verb.NOTICE_ASSIGNED) == []


def test_whoever_was_switched_off_or_left_is_given_nothing(project, notice, mona, lin, alma):
    lin.is_active = False
    lin.save()
    with pytest.raises(Invalid, match="is no member"):
        notice_assign(notice=notice, username="lin", by=mona, at=NOON)
    member_remove(project=project, user_id=mona.pk, by=alma, at=NOON)
    with pytest.raises(Invalid, match="is no member"):
        notice_assign(notice=notice, username="mona", by=alma, at=NOON)


def test_whoever_is_given_a_notice_is_told_of_it_whatever_the_policy_says(notice, mona, lin):
    notice.tellings.all().delete()
    notice_assign(notice=notice, username="lin", by=mona, at=NOON)
    assert list(notice.tellings.values_list("person__username", "read_at")) == [("lin", None)]
    notice_assign(notice=notice, username="mona", by=mona, at=NOON)
    assert notice.tellings.count() == 1, "who takes it knows"


@pytest.mark.parametrize("text", ["x" * 4001, "x" * 100_000, "", "  \u200b ", "a\x00b", "\ud800", "bell\x07"])
def test_a_comment_that_cannot_be_kept_is_refused(notice, mona, text):
    with pytest.raises(Invalid):
        notice_comment(notice=notice, text=text, by=mona, at=NOON)
    assert not NoticeComment.objects.exists() and trail(Verb.NOTICE_COMMENTED) == []


@pytest.mark.parametrize("note", ["", "   ", "x" * 401, "a\x00b"])
def test_a_note_is_needed_to_resolve(notice, mona, note):
    with pytest.raises(Invalid):
        notice_resolve(notice=notice, note=note, by=mona, at=NOON)
    assert Notice.objects.get().resolved_at is None and Alert.objects.get().resolved_at is None


def test_a_comment_is_unread_for_the_others_who_follow_it(notice, mona, lin):
    notice.tellings.update(read_at=NOON)
    notice_comment(notice=notice, text="Look at 13:00.", by=lin, at=NOON + HOUR)
    unread = notice.tellings.filter(read_at=None).order_by("person__username")
    assert list(unread.values_list("person__username", flat=True)) == ["alma", "mona"]


def test_a_snooze_of_another_length_is_refused(notice, mona):
    with pytest.raises(Invalid, match="hour, tomorrow, week"):
        notice_snooze(notice=notice, span="year", by=mona, at=NOON, zone=UTC)

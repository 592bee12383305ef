"""What becomes a notice, for whom, and that one cause is one notice."""

from datetime import timedelta

import pytest

from apps.audit.models import Cursor, Event
from apps.audit.verbs import Verb
from apps.live import publish
from apps.monitoring.models import MonitorReading, ReadingOutcome
from apps.monitoring.monitors.recording import alarm_raise
from apps.monitoring.services import alert_resolve
from apps.notices.hearing import READER, notices_collect, notices_forget, notices_wake
from apps.notices.kinds import NOTICE_KINDS
from apps.notices.models import Notice, NoticeTold
from apps.notices.policies import NOTICE_POLICY
from apps.notices.services import notice_resolve, notice_snooze
from apps.projects.membership import member_remove
from apps.projects.policies.services import policy_given, policy_set
from apps.projects.roles import Role
from apps.rules.monitors import MonitorCause, MonitorSettings
from apps.rules.notices.policy import ROLES
from tests.conftest import NOON
from tests.labeling.conftest import at_once

HOUR = timedelta(hours=1)


def told(notice):
    return sorted(notice.tellings.filter(read_at=None).values_list("person__username", flat=True))


def route(project, by, **roles):
    routes = [{"severity": severity, **to} for severity, to in roles.items()]
    policy_set(NOTICE_POLICY, project=project, policy=policy_given(NOTICE_POLICY, {"routes": routes}), by=by, at=NOON)


def test_a_monitor_that_sounds_is_told_to_those_who_look_after_models_and_to_nobody_who_labels(
    project, drifted, collected
):
    alert = drifted(project)
    collected()
    notice = Notice.objects.get()
    assert (notice.kind, notice.severity, notice.subject) == ("monitor", "warning", f"alert {alert.pk}")
    assert notice.sentence == "Drift: ham rose."
    assert told(notice) == ["alma", "lin", "mona"]


def test_what_was_read_once_is_not_told_again(project, drifted, collected):
    drifted(project)
    collected()
    collected()
    assert NoticeTold.objects.count() == 3 and Notice.objects.get().times_seen == 1


def test_a_run_that_fails_again_counts_on_the_open_notice_and_gets_no_brother(project, happens, collected):
    for n in (1, 2, 3):
        happens(project, Verb.RUN_FAILED, n=n, at=NOON + n * HOUR, state="failed")
        collected()
    notice = Notice.objects.get()
    assert (notice.times_seen, notice.subject, notice.last_seen_at) == (3, "run 3", NOON + 3 * HOUR)
    assert notice.opened_at == NOON + HOUR


def test_two_alarms_in_one_second_of_two_causes_are_two_and_of_one_cause_one(project, drifted, happens, collected):
    first, second = drifted(project), drifted(project, kind="volume")
    happens(project, Verb.RUN_FAILED, n=1, state="failed")
    happens(project, Verb.RUN_FAILED, n=2, state="failed")
    collected()
    subjects = list(Notice.objects.order_by("pk").values_list("subject", "times_seen"))
    assert subjects == [(f"alert {first.pk}", 1), (f"alert {second.pk}", 1), ("run 2", 2)]


def test_the_same_cause_while_it_is_snoozed_counts_and_wakes_nobody(project, mona, happens, collected):
    happens(project, Verb.RUN_FAILED, state="failed")
    collected()
    notice = Notice.objects.get()
    notice_snooze(notice=notice, span="hour", by=mona, at=NOON, zone=NOON.tzinfo)
    NoticeTold.objects.update(read_at=NOON)
    happens(project, Verb.RUN_FAILED, n=2, state="failed")
    collected()
    notice.refresh_from_db()
    assert (notice.times_seen, notice.snoozed_until, told(notice)) == (2, NOON + HOUR, [])


def test_a_warning_that_becomes_an_alarm_is_told_again_even_while_it_is_snoozed(project, mona, drifted, collected):
    drifted(project)
    collected()
    notice_snooze(notice=Notice.objects.get(), span="week", by=mona, at=NOON, zone=NOON.tzinfo)
    NoticeTold.objects.update(read_at=NOON)
    louder(project)
    collected(NOON + HOUR)
    notice = Notice.objects.get()
    assert (notice.severity, notice.snoozed_until, told(notice)) == ("alarm", None, ["alma", "lin", "mona"])
    assert Event.objects.filter(verb=Verb.ALERT_WORSENED).count() == 1


def louder(project):
    """The open warning is raised again by a monitor that alarms."""
    settings = MonitorSettings.model_validate({"type": "performance", "severity": "alarms"})
    reading = MonitorReading.objects.create(
        project=project,
        monitor="performance",
        type="performance",
        policy_number=0,
        model_number=1,
        since=NOON,
        until=NOON + HOUR,
        at=NOON + HOUR,
        outcome=ReadingOutcome.RAISED,
        sentence="It answers wrongly.",
    )
    for _ in range(2):  # the second time it is an alarm already
        alarm_raise(project=project, cause=MonitorCause.DRIFT, found=[(settings, reading)], at=NOON + HOUR)


@pytest.mark.parametrize(
    ("opening", "more", "ending", "after"),
    [
        (Verb.RUN_FAILED, {"state": "failed"}, Verb.RUN_COMPLETED, {"state": "completed"}),
        (Verb.LAP_CLOSED, {"breached": True, "p90_s": 9.0}, Verb.LAP_CLOSED, {"breached": False, "p90_s": 1.0}),
        (Verb.VERDICT_FAIL, {"outcome": "fail"}, Verb.VERDICT_PASS, {"outcome": "pass"}),
        (Verb.ROLLOUT_ABORTED, {"step": 1}, Verb.MODEL_PROMOTED, {"champion": 2, "reason": ""}),
    ],
)
def test_what_is_over_closes_its_notice_with_the_entry_that_says_so(
    project, happens, collected, opening, more, ending, after
):
    happens(project, opening, **more)
    collected()
    assert Notice.objects.get().resolved_at is None
    happens(project, ending, n=2, at=NOON + HOUR, **after)
    collected(NOON + HOUR)
    notice = Notice.objects.get()
    assert (notice.resolved_at, notice.note, told(notice)) == (NOON + HOUR, "Run 2 failed.", [])


def test_an_alarm_that_somebody_closed_on_the_monitor_page_closes_here_and_is_news_to_the_others(
    project, mona, drifted, collected
):
    alert = drifted(project)
    collected()
    alert_resolve(project=project, alert_id=alert.pk, note="A holiday.", by=mona, at=NOON + HOUR)
    collected(NOON + HOUR)
    closed, news = Notice.objects.order_by("pk")
    assert (closed.resolved_by, told(closed)) == (mona, [])
    assert (news.kind, news.severity, told(news)) == ("monitor-closed", "info", ["alma", "lin"])


def test_laps_in_time_and_webhooks_that_people_switch_off_are_nothing_to_hear_of(project, mona, happens, collected):
    happens(project, Verb.LAP_CLOSED, breached=False, p90_s=1.0)
    off = NOTICE_KINDS["webhook-off"]
    by_hand = Event(verb=Verb.WEBHOOK_OFF, actor_username="mona")
    assert (off.severity_of(by_hand), str(off.severity_of(Event(verb=Verb.WEBHOOK_OFF)))) == (None, "warning")
    collected()
    assert not Notice.objects.exists()


def test_the_policy_says_who_hears_by_role_and_by_name_and_nobody_hears_of_what_they_may_not_see(
    project, alma, drifted, collected
):
    route(project, alma, warning={"roles": ["annotator", "manager"], "people": ["lin", "mallory", "rosa"]})
    drifted(project)
    collected()
    assert told(Notice.objects.get()) == ["lin", "mona"]


def test_a_severity_without_a_route_goes_to_nobody(project, alma, drifted, collected):
    route(project, alma, alarm={"roles": ["manager"]})
    drifted(project)
    collected()
    assert told(Notice.objects.get()) == []


def test_whoever_left_or_was_switched_off_is_told_nothing(project, alma, mona, lin, drifted, collected):
    member_remove(project=project, user_id=mona.pk, by=alma, at=NOON)
    lin.is_active = False
    lin.save()
    drifted(project)
    collected()
    assert told(Notice.objects.get()) == ["alma"]


def test_whoever_did_it_is_not_told_of_it(project, lin, happens, collected):
    happens(project, Verb.ROLLOUT_ABORTED, by=lin, step=1)
    collected()
    notice = Notice.objects.get()
    assert (notice.severity, told(notice)) == ("warning", ["alma", "mona"])


def test_a_snooze_that_is_over_is_back_and_unread_once(project, mona, happens, collected):
    happens(project, Verb.RUN_FAILED, state="failed")
    collected()
    notice = Notice.objects.get()
    notice_snooze(notice=notice, span="hour", by=mona, at=NOON, zone=NOON.tzinfo)
    NoticeTold.objects.update(read_at=NOON)
    assert notices_wake(at=NOON + HOUR - timedelta(seconds=1)) == 0
    assert (notices_wake(at=NOON + HOUR), notices_wake(at=NOON + HOUR)) == (1, 0)
    notice.refresh_from_db()
    assert (notice.snoozed_until, told(notice)) == (None, ["alma", "lin", "mona"])


def test_a_project_in_the_archive_wakes_nobody_up(project, mona, happens, collected):
    happens(project, Verb.RUN_FAILED, state="failed")
    collected()
    notice_snooze(notice=Notice.objects.get(), span="hour", by=mona, at=NOON, zone=NOON.tzinfo)
    NoticeTold.objects.update(read_at=NOON)
    project.archived_at = NOON
    project.save()
    notices_wake(at=NOON + HOUR)
    assert told(Notice.objects.get()) == []


def test_what_ended_more_than_a_year_ago_is_forgotten_and_what_is_open_stays(project, mona, happens, collected):
    happens(project, Verb.RUN_FAILED, state="failed")
    happens(project, Verb.LAP_CLOSED, breached=True, p90_s=9.0)
    collected()
    notice_resolve(notice=Notice.objects.get(kind="run-failed"), note="x", by=mona, at=NOON)
    assert notices_forget(at=NOON + timedelta(days=400)) == 0
    assert notices_forget(at=NOON + timedelta(days=401)) == 1
    assert Notice.objects.get().kind == "sla-breach"


def test_open_pages_of_those_who_are_told_look_again(
    project, mona, drifted, collected, monkeypatch, django_capture_on_commit_callbacks
):
    heard = []
    monkeypatch.setattr(publish, "send_now", lambda topic, what, subject=None: heard.append((topic, str(what))))
    drifted(project)
    with django_capture_on_commit_callbacks(execute=True):
        collected()
    assert (f"person.{mona.pk}", "notice") in heard and len({topic for topic, what in heard if what == "notice"}) == 3


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_read_at_once_make_one_notice(project, drifted):
    for n in range(6):
        drifted(project, kind=f"cause-{n}")
        errors = at_once(*[lambda: notices_collect(at=NOON)] * 2)
        assert errors == []
    assert Notice.objects.count() == 6
    assert (
        Cursor.objects.get(reader=READER, scope=f"project:{project.pk}").sequence
        == Event.objects.filter(scope=f"project:{project.pk}").count()
    )


def test_the_rules_know_the_roles_of_a_project():
    assert set(ROLES) == set(Role.values)

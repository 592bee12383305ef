"""Mail: what stands in it, when it waits, what a bad server does to it, and that it holds nothing else up."""

import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.models import Event
from apps.audit.verbs import Verb
from apps.integrations import smtp
from apps.loop.tasks import sweep
from apps.notices import mailing
from apps.notices.choosing import choices_set
from apps.notices.mailing import mails_ask, mails_forget, mails_send, trial_send
from apps.notices.models import MailState, MailTrial, Notice, NoticeChoices, NoticeMail
from apps.notices.services import notice_assign, notice_resolve, notice_snooze
from apps.projects.membership import member_remove
from apps.work.names import Job
from tests.api import api_of
from tests.conftest import NOON
from tests.notices.conftest import console_mails_to, free_port

CHOICES, TRIAL = reverse("notices:choices"), reverse("notices:trial")
MINUTE = timedelta(minutes=1)


def choose(person, **given):
    usual = {"levels": {}, "mail_to": f"{person.username}@example.com", "quiet_begins": None, "quiet_ends": None}
    return choices_set(person=person, at=NOON, **usual | {"alarms_pass": True} | given)


@pytest.fixture
def breached(project, happens, collected):
    """An alarm: a lap that broke the SLA."""

    def happen(at=NOON):
        happens(project, Verb.LAP_CLOSED, at=at, breached=True, p90_s=9.0)
        collected(at)
        return Notice.objects.latest("pk")

    return happen


def send(at=NOON):
    return mails_send(now=lambda: at)


def test_an_alarm_comes_by_mail_with_its_link_and_a_way_out(project, mona, lin, mail_server, breached):
    choose(mona)
    notice = breached()
    assert NoticeMail.objects.count() == 3, "those without an address are found out when it is sent"
    assert send() == 1
    (mail,) = mail_server.mails
    assert mail_server.to == ["mona@example.com"]
    assert mail["Subject"] == "[Project 1] Alarm: A lap breaks the SLA"
    assert mail["From"] == "FastLoop Console <fastloop@example.com>"
    assert mail["List-Unsubscribe"] == "<https://console.example.com/notices/choices/>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body(("plain",)).get_content()
    page = mail.get_body(("html",)).get_content()
    link = f"https://console.example.com/notices/{notice.pk}/"
    for body in (text, page):
        assert "Run 1 failed." in body and link in body and "2 Nov 2026, 12:00" in body
    assert "It is new." in text
    assert sorted(NoticeMail.objects.values_list("state", flat=True)) == ["dropped", "dropped", "sent"]
    assert send() == 0, "nothing is sent twice"


def test_it_is_written_in_the_language_and_zone_of_whoever_reads_it(mona, mail_server, breached):
    choose(mona)
    NoticeChoices.objects.filter(person=mona).update(language="es", zone="Europe/Madrid")
    breached()
    send()
    text = mail_server.mails[0].get_body(("plain",)).get_content()
    assert "2 nov 2026, 13:00" in text and "Europe/Madrid" in text
    assert mail_server.mails[0]["Subject"] == "[Project 1] Alarma: Una vuelta incumple el SLA"
    assert "La ejecución 1 falló" in text or "Run 1 failed." in text


def test_a_name_with_line_breaks_makes_no_header_and_no_second_recipient(project, mona, mail_server, breached):
    project.name = "Evil\r\nBcc: mallory@example.com\r\n\r\nbody"
    project.save()
    choose(mona)
    breached()
    send()
    (mail,) = mail_server.mails
    assert mail["Bcc"] is None and mail_server.to == ["mona@example.com"]
    assert mail["Subject"].startswith("[Evil Bcc: mallory@example.com body] Alarm")


@pytest.mark.parametrize(
    "address", ["a\r\nBcc: b@c.de", "nobody", "a@b", "a@b.de, c@d.de", "x" * 250 + "@b.de", "a\x00@b.de"]
)
def test_what_is_no_address_is_refused_before_it_is_kept(as_, mona, address):
    answer = as_(mona).post(CHOICES, {"mail_to": address})
    assert answer.status_code == 422
    assert not NoticeChoices.objects.exclude(mail_to="").exists()


def test_without_a_server_no_mail_is_written_and_the_page_says_how_to_turn_it_on(as_, settings, mona, breached):
    settings.EMAIL_HOST = ""
    choose(mona)
    breached()
    assert not NoticeMail.objects.exists()
    page = as_(mona).get(CHOICES).text
    assert "SMTP_HOST" in page and "Send me a test mail" not in page
    assert as_(mona).post(TRIAL).status_code == 302
    assert not MailTrial.objects.exists()


def test_whoever_chose_so_gets_mail_of_warnings_and_none_of_alarms(
    project, mona, mail_server, happens, breached, collected
):
    choose(mona, levels={"sla-breach.alarm": "bell", "run-failed.warning": "mail"})
    breached()
    happens(project, Verb.RUN_FAILED, state="failed")
    collected()
    send()
    assert [mail["Subject"] for mail in mail_server.mails] == ["[Project 1] Warning: A run or a sweep fails"]


def test_whoever_wants_nothing_of_it_is_not_even_told_by_the_bell(mona, breached):
    choose(mona, levels={"sla-breach.alarm": "none"})
    assert not breached().tellings.filter(person=mona).exists()


def test_quiet_hours_hold_mail_back_until_they_end_and_alarms_pass_if_chosen_so(mona, mail_server, breached):
    mona.time_zone = "Europe/Madrid"
    mona.save()
    night = {"quiet_begins": clock(22), "quiet_ends": clock(7), "alarms_pass": False}
    choose(mona, **night)
    late = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)
    breached(late)
    assert send(late) == 0
    waiting = NoticeMail.objects.get(person=mona)
    assert (waiting.state, waiting.next_at) == (MailState.WAITING, datetime(2026, 11, 3, 6, 0, tzinfo=UTC))
    assert send(waiting.next_at - MINUTE) == 0 and send(waiting.next_at) == 1
    choose(mona, **night | {"alarms_pass": True})
    notice_resolve(notice=Notice.objects.get(), note="x", by=mona, at=late)
    breached(late)
    assert send(late) == 1


def test_a_server_that_is_away_is_asked_once_a_round_and_everything_waits_for_the_next(settings, mona, lin, breached):
    console_mails_to(settings, free_port())
    choose(mona)
    choose(lin)
    breached()
    assert send() == 0
    mails = list(NoticeMail.objects.filter(person__in=[mona, lin]))
    assert sorted(mail.attempts for mail in mails) == [0, 1]
    assert all(mail.state == MailState.WAITING and mail.next_at > NOON + timedelta(seconds=4) for mail in mails)
    (tried,) = [mail for mail in mails if mail.attempts]
    assert tried.error.startswith("The mail server cannot be reached")
    assert not mails_ask(at=NOON)


def test_it_is_given_up_after_three_days(settings, mona, breached):
    console_mails_to(settings, free_port())
    choose(mona)
    breached()
    at = NOON
    for _ in range(12):
        send(at)
        mail = NoticeMail.objects.get(person=mona)
        if mail.state != MailState.WAITING:
            break
        at = mail.next_at
    assert (mail.state, mail.attempts) == (MailState.FAILED, 10)
    assert timedelta(days=3) < at - NOON < timedelta(days=4)


def test_a_dripping_server_is_cut_off(settings, monkeypatch, mona, dripping, breached):
    monkeypatch.setattr(smtp, "TOGETHER_S", 0.6)
    choose(mona)
    breached()
    began = time.monotonic()
    assert send() == 0
    assert time.monotonic() - began < 5
    assert NoticeMail.objects.get(person=mona).error.startswith("The mail server gave no whole answer")


@pytest.mark.parametrize(("reply", "state"), [("550 no such box", MailState.FAILED), ("450 later", MailState.WAITING)])
def test_a_recipient_that_the_server_does_not_take(mona, lin, mail_server, breached, reply, state):
    """For good, or for now; the others have theirs."""
    choose(mona)
    breached()
    mail_server.refuses = reply
    send()
    mail = NoticeMail.objects.get(person=mona)
    assert (mail.state, mail.attempts) == (state, 1)
    assert mail.error == f"The mail server does not take this address: {reply}."


def test_a_mail_that_the_server_does_not_take_leaves_the_next_one_its_turn(mona, lin, mail_server, breached):
    choose(mona)
    choose(lin)
    mail_server.refuses_mail = "554 spam\x07"
    breached()
    send()
    said = set(NoticeMail.objects.filter(person__in=[mona, lin]).values_list("state", "error"))
    assert said == {("failed", "The mail server does not take the mail: 554 spam.")}


def test_nobody_is_written_to_who_left_was_switched_off_or_whose_notice_is_over(
    project, mona, lin, alma, mail_server, breached
):
    for person in (mona, lin, alma):
        choose(person)
    notice = breached()
    member_remove(project=project, user_id=mona.pk, by=alma, at=NOON)
    User.objects.filter(pk=lin.pk).update(is_active=False)
    assert send() == 1 and mail_server.to == ["alma@example.com"]
    NoticeMail.objects.update(state=MailState.WAITING, next_at=NOON)
    notice_snooze(notice=notice, span="hour", by=alma, at=NOON, zone=UTC)
    assert send() == 0
    assert set(NoticeMail.objects.values_list("state", flat=True)) == {"dropped"}


def test_what_is_closed_before_its_mail_goes_is_not_written_about(project, mona, mail_server, breached):
    choose(mona)
    notice_resolve(notice=breached(), note="Known.", by=mona, at=NOON + MINUTE)
    assert send(NOON + MINUTE) == 0 and mail_server.mails == []


def test_a_project_in_the_archive_writes_no_mail(project, mona, mail_server, breached):
    choose(mona)
    breached()
    project.archived_at = NOON
    project.save()
    assert send() == 0 and NoticeMail.objects.get(person=mona).state == MailState.DROPPED


def test_whoever_is_given_a_notice_gets_mail(mona, lin, mail_server, breached):
    notice = breached()
    NoticeMail.objects.all().delete()
    choose(lin, levels={"sla-breach.alarm": "none"})
    notice_assign(notice=notice, username="lin", by=mona, at=NOON)
    assert send() == 1
    assert "It was assigned to you." in mail_server.mails[0].get_body(("plain",)).get_content()


def test_two_jobs_at_once_send_one_mail_once(mona, mail_server, breached, monkeypatch):
    choose(mona)
    breached()
    real = mailing.mail_send
    monkeypatch.setattr(mailing, "mail_send", lambda letter: (send(), real(letter)))  # a second job in the middle
    send()
    assert len(mail_server.mails) == 1


def test_a_message_has_the_same_id_at_each_try(mona, mail_server, breached):
    choose(mona)
    breached()
    mail_server.refuses = "450 later"
    send()
    mail_server.refuses = ""
    NoticeMail.objects.filter(person=mona).update(state=MailState.WAITING, next_at=NOON)
    send()
    mail = NoticeMail.objects.get(person=mona)
    assert mail_server.mails[0]["Message-ID"].startswith(f"<notice-{mail.notice_id}-mail-{mail.pk}@")


def test_the_sweep_asks_for_the_job_and_sends_nothing_itself(project, mona, sent, mail_server, happens):
    choose(mona)
    happens(project, Verb.LAP_CLOSED, at=timezone.now(), breached=True, p90_s=9.0)
    sweep()
    assert (str(Job.MAILS), ()) in sent.jobs and mail_server.mails == []


def test_what_ended_long_ago_is_forgotten(mona, mail_server, breached):
    choose(mona)
    breached()
    send()
    assert mails_forget(at=NOON + timedelta(days=29)) == 0
    assert mails_forget(at=NOON + timedelta(days=31)) == 3


# The choices and the test


def test_choices_are_kept_and_shown(as_, mona):
    given = {
        "mail_to": "mona@example.com",
        "quiet_begins": "22:00",
        "quiet_ends": "07:00",
        "level-monitor.alarm": "bell",
    }
    as_(mona).post(CHOICES, given | {"level-assigned": "none", "level-nonsense": "mail"})
    kept = NoticeChoices.objects.get(person=mona)
    assert kept.levels == {"monitor.alarm": "bell", "assigned": "none"}
    assert (kept.quiet_begins, kept.quiet_ends, kept.alarms_pass) == (clock(22), clock(7), False)
    page = as_(mona).get(CHOICES).text
    assert 'value="22:00"' in page and 'value="mona@example.com"' in page
    assert Event.objects.get(verb=Verb.MAIL_SET).sentence == "Mona changed where mail about notices goes."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"quiet_begins": "22:00"}, "Quiet hours have a begin and an end."),
        ({"quiet_begins": "00:00", "quiet_ends": "00:00"}, "would hold mail back for ever"),
        ({"level-monitor.alarm": "pigeon"}, "It comes by: mail, bell, none."),
        ({"quiet_begins": "25:00", "quiet_ends": "07:00"}, "valid time"),
    ],
)
def test_choices_that_cannot_be_taken_are_said_in_words(as_, mona, given, words):
    answer = as_(mona).post(CHOICES, given)
    assert answer.status_code == 422 and words in answer.text


def test_a_test_mail_is_sent_by_a_worker_and_says_what_came_of_it(
    as_, mona, sent, mail_server, django_capture_on_commit_callbacks
):
    choose(mona)
    with django_capture_on_commit_callbacks(execute=True):
        as_(mona).post(TRIAL)
    assert sent.jobs == [(str(Job.MAIL_TRIAL), (mona.pk,))] and mail_server.mails == []
    assert "is on its way" in as_(mona).get(CHOICES).text
    assert as_(mona).post(TRIAL, headers={"HX-Request": "true"}).status_code == 429
    trial_send(person_id=mona.pk)
    trial_send(person_id=mona.pk)
    assert [mail["Subject"] for mail in mail_server.mails] == ["A test from FastLoop Console"]
    assert "The mail server took a test to mona@example.com" in as_(mona).get(reverse("notices:trial_state")).text


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("refused", "The mail server does not take this address: 550 no such box."),
        ("away", "The mail server cannot be reached: "),
        ("starttls", "The mail server cannot do what SMTP_SECURITY or SMTP_USER asks for: "),
        ("password", "The mail server does not take SMTP_USER and SMTP_PASSWORD: 535 "),
        ("unknown", "Nobody knows the host that SMTP_HOST names: "),
        ("tls", "TLS with the mail server failed: "),
    ],
)
def test_a_test_mail_says_in_words_what_is_wrong(as_, settings, mona, mail_server, how, words):
    choose(mona)
    mail_server.refuses = "550 no such box" if how == "refused" else ""
    if how == "away":
        settings.EMAIL_PORT = free_port()
    if how == "unknown":
        settings.EMAIL_HOST = "no-such-host.invalid"
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = how == "starttls", how == "tls"
    if how == "password":
        mail_server.password = "another"
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "console", "secret"
    as_(mona).post(TRIAL)
    trial_send(person_id=mona.pk)
    trial = MailTrial.objects.get(person=mona)
    assert (trial.state, trial.error[: len(words)]) == (MailState.FAILED, words)
    assert words[:30] in as_(mona).get(CHOICES).text and "secret" not in trial.error


def test_a_server_that_wants_a_password_is_given_it(settings, mona, mail_server, breached):
    mail_server.password = "correct horse"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "console", "correct horse"
    choose(mona)
    breached()
    assert send() == 1


def test_a_test_that_no_worker_took_says_so(as_, mona, mail_server):
    choose(mona)
    as_(mona).post(TRIAL)
    MailTrial.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert "No worker took the test within a minute" in as_(mona).get(reverse("notices:trial_state")).text


def test_the_api_of_choices_and_tests(mona, mail_server):
    api = api_of(mona)
    assert api.get("/api/v1/notices/choices/").json()["levels"]["monitor.alarm"] == "mail"
    given = {"levels": {"monitor.alarm": "bell"}, "quiet_begins": "22:00", "quiet_ends": "07:00"}
    assert api.patch("/api/v1/notices/choices/", given, format="json").json()["levels"]["monitor.alarm"] == "bell"
    kept = api.patch("/api/v1/notices/choices/", {"mail_to": "m@example.com"}, format="json").json()
    assert (kept["quiet_begins"], kept["mail_to"], kept["levels"]["monitor.alarm"]) == (
        "22:00",
        "m@example.com",
        "bell",
    )
    assert api.patch("/api/v1/notices/choices/", {"levels": {"x.alarm": "bell"}}, format="json").status_code == 422
    assert api.post("/api/v1/notices/mail/").status_code == 202
    trial_send(person_id=mona.pk)
    assert api.get("/api/v1/notices/mail/").json()["test"]["state"] == "sent"

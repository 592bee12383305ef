"""Send the mail that is due: in a job of its own, tried again as webhooks are, and never longer than it may take."""

import random
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.errors import DomainError
from apps.integrations.smtp import TOGETHER_S, MailNotSent, mail_send
from apps.notices.choosing import choices_of, mail_address, quiet_hours_of
from apps.notices.letters import letter_of, trial_letter
from apps.notices.models import Mailed, MailReason, MailState, MailTrial, NoticeChoices, NoticeLevel, NoticeMail
from apps.notices.selectors import notice_for
from apps.notices.telling import mail_on
from apps.rules.notices import NoticeChannel, channel_of, quiet_ends
from apps.rules.notices.levels import channel_assigned
from apps.rules.sentences import cut, parts_of, sentence, words_of
from apps.rules.webhooks import pause_before
from apps.work.jobs import ask
from apps.work.leases import Lease, LeaseLost
from apps.work.names import Job

TAKES_FOR_S = 20.0  # a job begins no mail after that; the sweep asks for the next job
KEPT = timedelta(days=30)


class MailLost(LeaseLost):
    """Another worker sends it by now."""


LEASE = Lease(timedelta(seconds=3 * TOGETHER_S), MailLost)


def mails_ask(*, at: datetime) -> bool:
    """Have what is due sent by a job of its own, so that the sweep never waits for a mail server."""
    return mail_on() and _due(at).exists() and ask(Job.MAILS)


def mails_send(*, now: Callable[[], datetime] = timezone.now) -> int:
    """Send until nothing is due or this job has had its time; how many were sent. A server that is away is asked once."""
    sent, began = 0, time.monotonic()
    while mail_on() and time.monotonic() - began < TAKES_FOR_S:
        at = now()
        mail = _claimed(at)
        if mail is None:
            break
        if _not_needed(mail, at):
            _settle(mail, at, state=MailState.DROPPED)
        elif later := _quiet(mail, at):
            _settle(mail, at, next_at=later)
        else:
            fault = _sent(mail, now)
            if fault is None:
                sent += 1
            elif fault.of_server:
                break
    return sent


def mails_forget(*, at: datetime) -> int:
    """What ended long ago."""
    old = NoticeMail.objects.filter(created_at__lt=at - KEPT).exclude(state=MailState.WAITING)
    return old.delete()[0]


def _due(at: datetime) -> "QuerySet[NoticeMail]":
    due = NoticeMail.objects.filter(state=MailState.WAITING, next_at__lte=at)
    return due.exclude(leased_until__gte=at)


@transaction.atomic
def _claimed(at: datetime) -> NoticeMail | None:
    row = _due(at).order_by("next_at", "pk").select_for_update(of=("self",), skip_locked=True, no_key=True)
    mail = row.select_related("notice__project", "person").first()
    if mail is not None:
        LEASE.take(mail, at)
        mail.save(update_fields=["owner", "leased_until"])
    return mail


def _not_needed(mail: NoticeMail, at: datetime) -> bool:
    """Whoever left, was switched off or chose otherwise gets none; nor is anybody written to about what is over or put off."""
    notice, person = mail.notice, mail.person
    over = notice.snoozed(at) or (notice.resolved_at is not None and notice.resolved_at > notice.opened_at)
    project = notice.project
    if over or not person.is_active or project.archived_at is not None or project.deleting_since is not None:
        return True
    try:
        notice_for(person, notice.pk)
    except DomainError:
        return True
    choices = choices_of(person)
    return _channel(mail, choices) is not NoticeChannel.MAIL or not mail_address(choices)


def _channel(mail: NoticeMail, choices: NoticeChoices) -> NoticeChannel:
    if mail.reason == MailReason.ASSIGNED:
        return channel_assigned(choices.levels)
    return channel_of(choices.levels, mail.notice.kind, mail.notice.severity)


def _quiet(mail: NoticeMail, at: datetime) -> datetime | None:
    """When the person's quiet hours end; None where the mail may go."""
    choices = choices_of(mail.person)
    hours = quiet_hours_of(choices)
    if hours is None or (choices.alarms_pass and mail.notice.severity == NoticeLevel.ALARM):
        return None
    return quiet_ends(hours, at)


def _sent(mail: NoticeMail, now: Callable[[], datetime]) -> MailNotSent | None:
    """One try, and what came of it written down."""
    fault = _tried(lambda: mail_send(letter_of(mail)))
    at = now()
    if fault is None:
        _settle(mail, at, state=MailState.SENT, tried=True)
        return None
    pause = pause_before(mail.attempts + 1, random.Random(uuid.uuid4().int))
    if fault.permanent or pause is None:
        _settle(mail, at, state=MailState.FAILED, error=words_of(fault), tried=True)
    else:
        _settle(mail, at, next_at=at + pause, error=words_of(fault), tried=True)
        if fault.of_server:  # the others would meet the same
            _due(at).filter(owner=None).update(next_at=at + pause)
    return fault


def _tried(send: Callable[[], None]) -> MailNotSent | None:
    try:
        send()
    except MailNotSent as fault:
        return fault
    except Exception as fault:  # of a template or a plug-in's words: one mail must not hold up the others
        words = sentence("The mail could not be written: {fault}", fault=f"{type(fault).__name__}: {fault}"[:160])
        return MailNotSent(words, permanent=True, of_server=False)
    return None


def _settle(
    mail: Mailed,
    at: datetime,
    *,
    state: MailState = MailState.WAITING,
    next_at: datetime | None = None,
    error: str = "",
    tried: bool = False,
) -> None:
    """Write what came of it down. One that was dropped or taken over meanwhile keeps what stands."""
    rows = type(mail)._default_manager.filter(pk=mail.pk, owner=mail.owner, state=MailState.WAITING)
    about = {"attempts": mail.attempts + 1, "tried_at": at, "error": cut(error, 300), "parts": parts_of(error)}
    rows.update(state=state, next_at=next_at, owner=None, leased_until=None, **(about if tried else {}))


# The test that somebody sends themselves


def trial_send(*, person_id: int, now: Callable[[], datetime] = timezone.now) -> None:
    """Tried once; its page says what came of it."""
    trial = _trial_claimed(person_id, now())
    if trial is None:
        return
    fault = _tried(lambda: mail_send(trial_letter(trial)))
    state = MailState.SENT if fault is None else MailState.FAILED
    _settle(trial, now(), state=state, error=words_of(fault) if fault else "", tried=True)


@transaction.atomic
def _trial_claimed(person_id: int, at: datetime) -> MailTrial | None:
    row = MailTrial.objects.select_for_update(of=("self",), no_key=True).filter(state=MailState.WAITING)
    trial = row.filter(pk=person_id).select_related("person").first()
    if trial is None or trial.is_held(at):
        return None
    LEASE.take(trial, at)
    trial.save(update_fields=["owner", "leased_until"])
    return trial

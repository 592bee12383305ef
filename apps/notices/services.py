"""What people do with a notice: put it off, give it to somebody, write about it, close it with a note. Each is in the trail."""

from datetime import datetime, tzinfo
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import DomainError, Invalid, NotFound
from apps.monitoring.models import Alert
from apps.monitoring.services import alert_resolve
from apps.notices.kinds import kind_of
from apps.notices.models import Notice, NoticeComment
from apps.notices.places import number_of
from apps.notices.telling import notice_looked_at_again, notice_silenced, person_assigned, told_again, turn_taken
from apps.pages.moments import clock_of
from apps.pages.sentences import refusal
from apps.projects.models import Membership
from apps.projects.roles import GRANTS, Permission
from apps.rules.notices import SnoozeSpan, snooze_ends
from apps.rules.sentences import Sentence, sentence
from apps.rules.values import ValueRefused, shown
from apps.rules.values.characters import whole
from apps.rules.values.notes import note_of

MOST_NOTE = 400
MOST_COMMENT = 4000
MOST_COMMENTS = 500  # of one notice


class NoticeChanged(DomainError):
    """Somebody was first; the sentence says who, and how it stands now."""

    code = "notice_changed"


@transaction.atomic
def notice_snooze(
    *, notice: Notice, span: str, by: User, at: datetime, zone: tzinfo, over: int | None = None
) -> Notice:
    """Put it off for everybody; an empty span brings it back at once. `over` is the turn that the person saw.

    Raises Invalid, NoticeChanged.
    """
    if span and span not in list(SnoozeSpan):
        known = ", ".join(SnoozeSpan)
        raise Invalid(gettext("It can be put off for: {known}.").format(known=known), field="span")
    kept = _held(notice, over)
    kept.snoozed_until = snooze_ends(SnoozeSpan(span), at, zone) if span else None
    kept.save(update_fields=["snoozed_until"])
    until = kept.snoozed_until
    words = (
        sentence(
            "{by} snoozed a notice until {until} UTC: {about}",
            by=by,
            until=f"{until:%Y-%m-%d %H:%M}",
            about=_about(kept),
        )
        if until
        else sentence("{by} took a notice back from its snooze: {about}", by=by, about=_about(kept))
    )
    _record(kept, Verb.NOTICE_SNOOZED, by, at, words, {"until": until.isoformat() if until else None})
    notice_looked_at_again(kept)
    return kept


@transaction.atomic
def notice_assign(*, notice: Notice, username: str, by: User, at: datetime, over: int | None = None) -> Notice:
    """Give it to a member who may act on it, or with an empty name to nobody. Raises Invalid, NoticeChanged."""
    kept = _held(notice, over)
    person = _assignee(kept, username.strip()) if username.strip() else None
    kept.assigned_to = person
    kept.save(update_fields=["assigned_to"])
    words = (
        sentence("{by} gave a notice to {person}: {about}", by=by, person=person.signed, about=_about(kept))
        if person
        else sentence("{by} took a notice from whoever had it: {about}", by=by, about=_about(kept))
    )
    _record(kept, Verb.NOTICE_ASSIGNED, by, at, words, {"to": person.username if person else ""})
    if person is not None and person.pk != by.pk:
        person_assigned(kept, person, at=at)
    notice_looked_at_again(kept)
    return kept


@transaction.atomic
def notice_comment(*, notice: Notice, text: str, by: User, at: datetime) -> NoticeComment:
    """Also on one that is closed. Raises Invalid."""
    written = _text(text, gettext("The comment"), MOST_COMMENT, field="text")
    kept = _locked(notice)
    if kept.comments.count() >= MOST_COMMENTS:
        raise Invalid(gettext("A notice has at most {n} comments.").format(n=MOST_COMMENTS), field="text")
    made = NoticeComment.objects.create(notice=kept, by=by, by_name=by.signed, at=at, text=written)
    words = sentence("{by} commented on a notice: {about}", by=by, about=_about(kept))
    event_record(
        project_id=kept.project_id,
        verb=Verb.NOTICE_COMMENTED,
        subject=f"notice {kept.pk}",
        by=by,
        at=at,
        sentence=words,
    )
    told_again(kept, but=by.pk, at=at)
    return made


@transaction.atomic
def notice_resolve(*, notice: Notice, note: str, by: User, at: datetime, over: int | None = None) -> Notice:
    """Close it with a note; the alarm of a monitor with it. Raises Invalid, NoticeChanged."""
    written = _text(note, gettext("The note"), MOST_NOTE, field="note")
    kept = _held(notice, over)
    kept.resolved_at, kept.resolved_by, kept.snoozed_until = at, by, None
    kept.note, kept.note_parts = written, {}
    kept.save(update_fields=["resolved_at", "resolved_by", "snoozed_until", "note", "note_parts"])
    _end_the_alarm(kept, written, by, at)
    words = sentence("{by} closed a notice, {note}: {about}", by=by, note=f"“{written}”", about=_about(kept))
    _record(kept, Verb.NOTICE_RESOLVED, by, at, words, {"note": written})
    notice_silenced(kept, at=at)
    return kept


def _end_the_alarm(notice: Notice, note: str, by: User, at: datetime) -> None:
    """A notice that is closed while its alarm is open would be half a truth."""
    kind = kind_of(notice.kind)
    alert_id = number_of(notice.subject)
    if (
        kind
        and kind.of_monitor
        and Alert.objects.filter(pk=alert_id, project=notice.project, resolved_at=None).exists()
    ):
        alert_resolve(project=notice.project, alert_id=alert_id, note=note, by=by, at=at)


def _text(given: str, what: str, most: int, *, field: str) -> str:
    try:
        text = note_of(given, what, most)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field=field) from None
    if not text:
        raise Invalid(gettext("{what} is empty.").format(what=what), field=field)
    return text


def _locked(notice: Notice) -> Notice:
    """Raises NotFound where the project went meanwhile."""
    row = Notice.objects.select_for_update(of=("self",), no_key=True).select_related(
        "project", "assigned_to", "changed_by", "resolved_by"
    )
    found = row.filter(pk=notice.pk).first()
    if found is None:
        raise NotFound(gettext("There is no such notice any more."))
    return found


def _held(notice: Notice, over: int | None) -> Notice:
    """Locked, open, and as the person saw it. Raises NoticeChanged."""
    kept = _locked(notice)
    somebody = kept.changed_by or kept.resolved_by or gettext("Somebody")
    if kept.resolved_at is not None:
        who = kept.resolved_by or gettext("The console")
        raise NoticeChanged(
            gettext("{somebody} closed this already: “{note}”.").format(somebody=who, note=kept.note), turn=kept.turn
        )
    if over is not None and over != kept.turn:
        words = gettext("{somebody} was first: {state} Nothing of yours is set.")
        raise NoticeChanged(words.format(somebody=somebody, state=_stands(kept)), turn=kept.turn)
    return kept


def _stands(notice: Notice) -> str:
    """How it is by now, in a sentence."""
    if notice.snoozed_until:
        return gettext("it is snoozed until {until}.").format(until=clock_of(notice.snoozed_until))
    if notice.assigned_to:
        return gettext("it is assigned to {person}.").format(person=notice.assigned_to)
    return gettext("it is open and nobody’s.")


def _assignee(notice: Notice, username: str) -> User:
    """Raises Invalid for somebody who is no member, is switched off, or may not act on it."""
    unnamed = gettext("“{username}” is no member of the project.").format(username=shown(username, 150))
    try:
        whole(username, unnamed)
    except ValueRefused:
        raise Invalid(unnamed, field="username") from None
    member = Membership.objects.filter(project=notice.project_id, user__username__iexact=username, user__is_active=True)
    found = member.select_related("user").first()
    kind = kind_of(notice.kind)
    needed = {Permission.RESOLVE_ALERT} | ({kind.permission} if kind else set())
    if found is None:
        raise Invalid(unnamed, field="username")
    if not needed <= GRANTS.get(found.role, frozenset()):
        words = gettext("{person} may not act on it: that takes a manager, an engineer or an admin.")
        raise Invalid(words.format(person=found.user), field="username")
    return found.user


def _about(notice: Notice) -> str:
    """What it tells, within another sentence."""
    return Sentence(notice.sentence, notice.parts) if notice.parts else notice.sentence


def _record(notice: Notice, verb: Verb, by: User, at: datetime, words: str, after: dict[str, Any]) -> None:
    turn_taken(notice, by)
    event_record(
        project_id=notice.project_id,
        verb=verb,
        subject=f"notice {notice.pk}",
        by=by,
        at=at,
        sentence=words,
        after=after,
    )

"""What each person chose: by which way which notices come, where mail goes, and when it waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid
from apps.notices.kinds import NOTICE_KINDS
from apps.notices.models import NoticeChoices
from apps.rules.notices import ASSIGNED, NoticeChannel, QuietHours, channel_of
from apps.rules.notices.levels import channel_assigned, level_key
from apps.rules.sentences import sentence
from apps.rules.values.zones import zone_of

MOST_ADDRESS = 254  # characters, as mail has it


@dataclass(frozen=True)
class ChannelChoice:
    """One line of the page: a kind at a severity, and by which way it comes."""

    key: str
    kind: str
    title: str | Promise
    severity: str
    channel: str


def choices_of(person: User) -> NoticeChoices:
    """The usual where the person chose nothing."""
    return NoticeChoices.objects.filter(person=person).first() or NoticeChoices(person=person)


def channels_of(choices: NoticeChoices) -> list[ChannelChoice]:
    """Every kind at every severity it may have."""
    return [
        ChannelChoice(
            level_key(kind.name, severity),
            kind.name,
            kind.title,
            str(severity),
            str(channel_of(choices.levels, kind.name, severity)),
        )
        for kind in NOTICE_KINDS.values()
        for severity in kind.severities
    ]


def channel_when_assigned(choices: NoticeChoices) -> str:
    return str(channel_assigned(choices.levels))


def mail_address(choices: NoticeChoices) -> str:
    """Where mail goes; empty where the person has none."""
    return choices.mail_to or choices.person.email


def zone_of_reader(choices: NoticeChoices) -> tzinfo:
    """Of the account, else of the browser that was seen last, else UTC."""
    return zone_of(choices.person.time_zone) or zone_of(choices.zone) or ZoneInfo("UTC")


def quiet_hours_of(choices: NoticeChoices) -> QuietHours | None:
    if choices.quiet_begins is None or choices.quiet_ends is None:
        return None
    zone = zone_of(choices.person.time_zone) or zone_of(choices.zone) or ZoneInfo("UTC")
    return QuietHours(choices.quiet_begins, choices.quiet_ends, zone)


def reader_seen(*, person: User, language: str, zone: str) -> None:
    """In which language and zone somebody reads; written where it changed only."""
    language, zone = language[:10], zone if zone_of(zone) else ""
    kept = NoticeChoices.objects.filter(person=person).values_list("language", "zone").first()
    if kept == (language, zone):
        return
    NoticeChoices.objects.bulk_create(
        [NoticeChoices(person=person, language=language, zone=zone)],
        update_conflicts=True,
        unique_fields=["person"],
        update_fields=["language", "zone"],
    )


@transaction.atomic
def choices_set(
    *,
    person: User,
    levels: Mapping[str, str],
    mail_to: str,
    quiet_begins: time | None,
    quiet_ends: time | None,
    alarms_pass: bool,
    at: datetime,
) -> NoticeChoices:
    """All of them at once; a level that is not named keeps what it has. Raises Invalid."""
    NoticeChoices.objects.get_or_create(person=person)
    kept = NoticeChoices.objects.select_for_update(no_key=True).get(person=person)
    if (quiet_begins is None) != (quiet_ends is None):
        raise Invalid(gettext("Quiet hours have a begin and an end."), field="quiet_ends")
    if quiet_begins is not None and quiet_begins == quiet_ends:
        raise Invalid(
            gettext("Quiet hours of a whole day would hold mail back for ever. Choose the bell instead of mail."),
            field="quiet_ends",
        )
    address = _address(mail_to)
    if address != kept.mail_to:
        words = sentence("{by} changed where mail about notices goes.", by=person)
        event_record(project_id=None, verb=Verb.MAIL_SET, subject=f"user {person.pk}", by=person, at=at, sentence=words)
    kept.levels = {**kept.levels, **_levels(levels)}
    kept.mail_to, kept.alarms_pass = address, alarms_pass
    kept.quiet_begins, kept.quiet_ends = quiet_begins, quiet_ends
    kept.save(update_fields=["levels", "mail_to", "alarms_pass", "quiet_begins", "quiet_ends"])
    return kept


def _levels(given: Mapping[str, str]) -> dict[str, str]:
    """Raises Invalid for a key or a channel that is not known."""
    known = {each.key for each in channels_of(NoticeChoices())} | {ASSIGNED}
    for key, channel in given.items():
        if key not in known:
            raise Invalid(gettext("No notice is called “{key}”.").format(key=key[:80]), field="levels")
        if channel not in list(NoticeChannel):
            raise Invalid(gettext("It comes by: {known}.").format(known=", ".join(NoticeChannel)), field="levels")
    return {key: str(channel) for key, channel in given.items()}


def _address(given: str) -> str:
    """Raises Invalid."""
    address = given.strip()
    try:
        if address:
            validate_email(address)
    except ValidationError:
        raise Invalid(gettext("This is no mail address."), field="mail_to") from None
    if len(address) > MOST_ADDRESS:
        raise Invalid(gettext("This is no mail address."), field="mail_to")
    return address


def choices_written(choices: NoticeChoices) -> dict[str, Any]:
    """As the API says them."""
    return {
        "levels": {each.key: each.channel for each in channels_of(choices)}
        | {ASSIGNED: channel_when_assigned(choices)},
        "mail_to": mail_address(choices),
        "quiet_begins": choices.quiet_begins,
        "quiet_ends": choices.quiet_ends,
        "alarms_pass": choices.alarms_pass,
    }

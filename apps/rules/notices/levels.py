"""How loud a notice is, and by which way a person wants it."""

from collections.abc import Mapping
from enum import StrEnum


class NoticeSeverity(StrEnum):
    """Alarms want somebody now, warnings today, and the rest is good to know."""

    ALARM = "alarm"
    WARNING = "warning"
    INFO = "info"


_LOUDEST_FIRST = tuple(NoticeSeverity)


class NoticeChannel(StrEnum):
    """What comes by mail stands behind the bell too."""

    MAIL = "mail"
    BELL = "bell"
    NONE = "none"


ASSIGNED = "assigned"  # the key of what somebody gives this person to look after
USUAL = {
    NoticeSeverity.ALARM: NoticeChannel.MAIL,
    NoticeSeverity.WARNING: NoticeChannel.BELL,
    NoticeSeverity.INFO: NoticeChannel.BELL,
}


def louder(one: str, other: str) -> bool:
    """
    >>> louder("alarm", "warning"), louder("info", "info")
    (True, False)
    """
    return _LOUDEST_FIRST.index(NoticeSeverity(one)) < _LOUDEST_FIRST.index(NoticeSeverity(other))


def level_key(kind: str, severity: str) -> str:
    """How a person's choices name one kind at one severity.

    >>> level_key("drift", "alarm")
    'drift.alarm'
    """
    return f"{kind}.{severity}"


def channel_of(levels: Mapping[str, str], kind: str, severity: str) -> NoticeChannel:
    """What a person chose for it, else what is usual; a choice of another release that is no channel counts as none made.

    >>> str(channel_of({"drift.alarm": "none"}, "drift", "alarm")), str(channel_of({}, "drift", "warning"))
    ('none', 'bell')
    """
    chosen = levels.get(level_key(kind, severity), "")
    return NoticeChannel(chosen) if chosen in list(NoticeChannel) else USUAL[NoticeSeverity(severity)]


def channel_assigned(levels: Mapping[str, str]) -> NoticeChannel:
    """Of what is given to this person."""
    chosen = levels.get(ASSIGNED, "")
    return NoticeChannel(chosen) if chosen in list(NoticeChannel) else NoticeChannel.MAIL

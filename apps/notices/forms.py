"""Forms of notices: an act on one, a person's choices, and who in a project is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.notices.choosing import MOST_ADDRESS, ChannelChoice
from apps.notices.models import NoticeChoices, NoticeLevel
from apps.projects.policies.pages import PolicyEdit
from apps.projects.roles import Role
from apps.rules.notices import ASSIGNED, NoticeChannel, NoticePolicy, NoticeSeverity, SnoozeSpan

SPANS = [
    (str(SnoozeSpan.HOUR), _("1 hour")),
    (str(SnoozeSpan.TOMORROW), _("Until tomorrow, 8:00")),
    (str(SnoozeSpan.WEEK), _("A week")),
]
CHANNELS = [
    (str(NoticeChannel.MAIL), _("Mail and bell")),
    (str(NoticeChannel.BELL), _("Bell")),
    (str(NoticeChannel.NONE), _("Not at all")),
]
LEVEL = "level-"  # before the key of a choice


class TurnForm(forms.Form):
    """`over` is the turn of the notice that the page showed."""

    over = forms.IntegerField(required=False, min_value=0)


class ChoicesForm(forms.Form):
    mail_to = forms.CharField(
        required=False,
        max_length=MOST_ADDRESS,
        label=_("Where mail goes"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    quiet_begins = forms.TimeField(
        required=False, label=_("Quiet from"), widget=forms.TimeInput(attrs={"type": "time"})
    )
    quiet_ends = forms.TimeField(required=False, label=_("until"), widget=forms.TimeInput(attrs={"type": "time"}))
    alarms_pass = forms.BooleanField(required=False, label=_("Alarms come in quiet hours too"))

    @staticmethod
    def of(choices: NoticeChoices) -> dict[str, Any]:
        """What the fields begin with."""
        return {
            "mail_to": choices.mail_to,
            "alarms_pass": choices.alarms_pass,
            "quiet_begins": _clock(choices.quiet_begins),
            "quiet_ends": _clock(choices.quiet_ends),
        }


def _clock(at: time | None) -> str:
    """As the field of a browser has it."""
    return at.isoformat("minutes") if at else ""


def levels_posted(post: QueryDict, choices: Sequence[ChannelChoice]) -> dict[str, str]:
    """Of the keys that the page offers; others are left alone."""
    keys = [*(each.key for each in choices), ASSIGNED]
    return {key: str(post[LEVEL + key]) for key in keys if LEVEL + key in post}


@dataclass
class RouteRow:
    """Who is told of one severity: roles, and members by user name. `fault` is what the policy says against it."""

    severity: NoticeSeverity
    title: Any
    roles: frozenset[str]
    people: frozenset[str]
    fault: str = ""

    @property
    def role_choices(self) -> list[tuple[str, Any, bool]]:
        return [(value, words, value in self.roles) for value, words in Role.choices]

    def is_valid(self) -> bool:
        """Whatever is chosen can be said; the policy knows what it may not have."""
        return True

    @property
    def said(self) -> dict[str, Any]:
        """As the policy has it."""
        return {"severity": str(self.severity), "roles": sorted(self.roles), "people": sorted(self.people)}


def route_rows(policy: NoticePolicy) -> list[RouteRow]:
    """One a severity, also of those that have no route."""
    routes = {severity: policy.route(severity) for severity in NoticeSeverity}
    return [
        RouteRow(severity, NoticeLevel(severity).label, frozenset(route.roles), frozenset(route.people))
        for severity, route in routes.items()
    ]


def routes_posted(post: QueryDict) -> PolicyEdit:
    rows = [
        RouteRow(
            severity,
            NoticeLevel(severity).label,
            frozenset(post.getlist(f"{severity}-roles")),
            frozenset(name for name in post.getlist(f"{severity}-people") if name),
        )
        for severity in NoticeSeverity
    ]
    return PolicyEdit(rows, lambda: {"routes": [row.said for row in rows]})

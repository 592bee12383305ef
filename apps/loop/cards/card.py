"""A card, and how late its stage is by its limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext

from apps.pages.templatetags.wording import briefly
from apps.projects.roles import Permission

STAGES = ("collect", "annotate", "train", "evaluate", "deploy", "monitor")
# How long the oldest item of a stage may wait: hours of a 72 h target. They sum to it, and go as shares of any other.
LIMIT_HOURS = {"collect": 1, "annotate": 36, "train": 6, "evaluate": 1, "deploy": 24, "monitor": 4}
LIMIT_SHARE = {stage: hours / 72 for stage, hours in LIMIT_HOURS.items()}
NEARLY = 0.75  # of the limit
# Stages in which a press of the button takes waiting away; a verdict is only read and a file is read by itself.
PRESSABLE = ("annotate", "train", "deploy", "monitor")


@dataclass(frozen=True)
class Action:
    """The one button. With `post` it changes something, else it leads somewhere."""

    words: str
    url_name: str
    subject_id: int | None = None
    post: bool = False
    filled: bool = False
    helps: bool = True  # whether pressing it takes the waiting away


@dataclass(frozen=True)
class State:
    kind: str  # ok warn breach paused running
    words: str | Promise
    icon: str = ""


@dataclass(frozen=True)
class Card:
    stage: str
    state: State | None = None
    number: int = 0
    unit: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    action: Action | None = None
    lateness: float = 0.0  # age of the oldest by its limit
    is_hidden: bool = False


@dataclass(frozen=True)
class Judge:
    """What every card is judged by."""

    at: datetime
    target_s: float
    permissions: frozenset[Permission]
    medians: Mapping[str, float]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def age_s(self, since: datetime | None) -> float | None:
        return max((self.at - since).total_seconds(), 0.0) if since else None

    def lateness(self, stage: str, since: datetime | None) -> float:
        return (self.age_s(since) or 0.0) / (LIMIT_SHARE[stage] * self.target_s)

    def state(self, stage: str, since: datetime | None) -> State:
        limit = briefly(LIMIT_SHARE[stage] * self.target_s)
        late = self.lateness(stage, since)
        if late > 1:
            return State("warn", gettext("Late, limit {limit}").format(limit=limit))
        return (
            State("warn", gettext("Nearly late, limit {limit}").format(limit=limit))
            if late > NEARLY
            else State("ok", gettext("On time"))
        )

    def times(self, stage: str, since: datetime | None) -> tuple[tuple[str, str], ...]:
        median = self.medians.get(stage)
        return (
            (gettext("Oldest waiting"), briefly(self.age_s(since))),
            (gettext("Median time"), gettext("none yet") if median is None else briefly(median)),
        )


def hidden(stage: str) -> Card:
    return Card(stage, is_hidden=True)


def with_one_filled(cards: Sequence[Card], *, empty: bool) -> tuple[Card, ...]:
    """Fill the button of the stage that loses most time by its limit; of an empty project, the first step."""
    if empty:
        chosen = next((c for c in cards if c.stage == "collect" and c.action), None)
    else:
        late = [c for c in cards if c.stage in PRESSABLE and c.action and c.action.helps and c.lateness > 0]
        chosen = max(late, key=lambda c: c.lateness, default=None)
    return tuple(replace(c, action=replace(c.action, filled=True)) if c is chosen and c.action else c for c in cards)

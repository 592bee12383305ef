"""Moments that charts over time mark: a model promoted or rolled back, a run that ended with a model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from apps.audit.models import Event
from apps.audit.services import project_scope
from apps.audit.verbs import Verb

MOST = 40  # the newest; more would be a hatching, and no line could be told from the next
APART = 20  # names that stand nearer than this part of the width would write over one another
WORDED = 8  # up to so many releases carry their name; more would write over one another


@dataclass(frozen=True)
class TimeMark:
    """`words` is empty for a run: its line is thin and has no name. `named` is off where a later mark says its words too."""

    at: datetime
    words: str
    named: bool = True


def marks_of(project_id: int, since: datetime, until: datetime) -> tuple[TimeMark, ...]:
    """Oldest first: one query."""
    events = Event.objects.filter(
        scope=project_scope(project_id),
        verb__in=[Verb.MODEL_PROMOTED, Verb.MODEL_ROLLED_BACK, Verb.RUN_COMPLETED],
        at__gt=since,
        at__lte=until,
    )
    marks = [TimeMark(e.at, _words(e)) for e in reversed(events.order_by("-at")[:MOST])]
    return _told_apart(marks, least=(until - since) / APART)


def _told_apart(marks: list[TimeMark], *, least: timedelta) -> tuple[TimeMark, ...]:
    """Releases nearer to each other than `least` have one name, at the last of them: the first and the last of their words."""
    before: int | None = None
    for i, mark in enumerate(marks):
        if not mark.words:
            continue
        if before is not None and mark.at - marks[before].at < least:
            marks[before] = replace(marks[before], named=False)
            marks[i] = replace(mark, words=f"{marks[before].words.split(' … ')[0]} … {mark.words}")
        before = i
    return tuple(marks)


def _words(event: Event) -> str:
    if event.verb == Verb.RUN_COMPLETED:
        return ""
    number = event.after.get("champion", "")
    back = event.verb == Verb.MODEL_ROLLED_BACK
    return gettext("back to v{number}").format(number=number) if back else f"v{number}"


def marked(figure: dict[str, Any], marks: Sequence[TimeMark]) -> dict[str, Any]:
    """The Plotly figure with a line at each mark: releases strong and named, runs thin."""
    layout = figure["layout"]
    named = [mark for mark in marks if mark.words and mark.named][-WORDED:]
    layout["shapes"] = [*layout.get("shapes", []), *(_line(mark) for mark in marks)]
    layout["annotations"] = [*layout.get("annotations", []), *(_name(mark) for mark in named)]
    return figure


def _line(mark: TimeMark) -> dict[str, Any]:
    at, release = mark.at.isoformat(), bool(mark.words)
    color = "var(--ink-2)" if release else "var(--line-strong)"
    line = {"color": color, "width": 1.5 if release else 1, "dash": "dash" if release else "dot"}
    return {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": line}


def _name(mark: TimeMark) -> dict[str, Any]:
    place = {"x": mark.at.isoformat(), "yref": "paper", "y": 1, "xanchor": "left", "yanchor": "top", "xshift": 3}
    return {**place, "text": mark.words, "showarrow": False, "font": {"color": "var(--ink-2)"}}

"""How far a source was behind, and what became of its events, minute by minute, as Plotly figures."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from apps.pages.numbers import fill
from apps.sources.models import SourceMinute

Figure = dict[str, Any]


def lag(minutes: Sequence[SourceMinute], since: datetime, until: datetime) -> Figure:
    """Seconds that the oldest event waited at worst."""
    worst = max((m.behind_s for m in minutes), default=0.0)
    line = {
        "type": "scatter",
        "mode": "lines+markers" if len(minutes) < 12 else "lines",
        "name": gettext("seconds behind"),
        "x": [m.minute.isoformat() for m in minutes],
        "y": [round(m.behind_s, 2) for m in minutes],
        "line": {"color": "var(--accent)", "width": 2},
        "hovertemplate": "%{y:.1f} s",
    }
    found = fill(gettext("At worst the oldest event waited {n:.1f} s."), n=worst)
    return _figure([line] if minutes else [], since, until, found, " s")


def events(minutes: Sequence[SourceMinute], since: datetime, until: datetime) -> Figure:
    """Bars of what was taken, known and refused."""
    kinds = (
        ("taken", gettext("taken"), "var(--accent)"),
        ("known", gettext("known already"), "var(--ink-3)"),
        ("refused", gettext("refused"), "var(--breach)"),
    )
    bars = [
        {
            "type": "bar",
            "name": title,
            "x": [m.minute.isoformat() for m in minutes],
            "y": [getattr(m, name) for m in minutes],
            "marker": {"color": color},
        }
        for name, title, color in kinds
    ]
    n = sum(m.taken + m.known + m.refused for m in minutes)
    figure = _figure(bars if minutes else [], since, until, fill(gettext("{n:,} events came."), n=n), "")
    figure["layout"] |= {"barmode": "stack", "showlegend": True}
    return figure


def _figure(traces: list[Figure], since: datetime, until: datetime, finding: str, suffix: str) -> Figure:
    return {
        "data": traces,
        "layout": {
            "xaxis": {"type": "date", "range": [since.isoformat(), until.isoformat()]},
            "yaxis": {"rangemode": "tozero", "ticksuffix": suffix},
            "meta": {
                "finding": finding,
                "empty": gettext("Nothing came in the last three hours."),
                "rows": gettext("minute"),
            },
        },
    }

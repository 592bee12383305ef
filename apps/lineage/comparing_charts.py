"""Curves of several runs in one figure. Each run has its own color and dash, and its name stands at its end."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from apps.lineage.comparing import ComparedCurve
from apps.pages.line_ends import ends_apart
from apps.pages.numbers import localized

Figure = dict[str, Any]
LINES = [
    ("var(--accent)", "solid"),
    ("var(--deploy)", "dash"),
    ("var(--breach)", "dot"),
    ("var(--train)", "dashdot"),
    ("var(--annotate)", "longdash"),
    ("var(--collect)", "longdashdot"),
    ("var(--evaluate)", "solid"),
    ("var(--ink-2)", "dot"),
]


def overlaid(curves: Sequence[ComparedCurve]) -> dict[str, Figure]:
    loss = [_line(i, c, c.loss, 1.0, ".3f") for i, c in enumerate(curves)]
    accuracy = [_line(i, c, c.accuracy, 100.0, ".1f") for i, c in enumerate(curves)]
    return {
        "loss": _figure(
            loss, {"rangemode": "tozero", "title": {"text": "nats"}}, _ends(loss, gettext("loss ends at"), "{:.3f}")
        ),
        "holdout": _figure(
            accuracy, {"ticksuffix": " %"}, _ends(accuracy, gettext("holdout accuracy ends at"), "{:.1f} %")
        ),
    }


def _line(place: int, curve: ComparedCurve, values: Sequence[float | None], times: float, digits: str) -> Figure:
    color, dash = LINES[place % len(LINES)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": gettext("run {number}").format(number=curve.run.number),
        "x": list(curve.epochs) if any(v is not None for v in values) else [],
        "y": [None if v is None else round(times * v, 5) for v in values] if any(v is not None for v in values) else [],
        "connectgaps": True,
        "line": {"color": color, "dash": dash, "width": 2},
        "hovertemplate": f"%{{y:{digits}}}",
    }


def _figure(traces: list[Figure], yaxis: Figure, finding: str) -> Figure:
    end = max((x for trace in traces for x in trace["x"]), default=1)
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": gettext("epoch")}, "range": [0, end * 1.02]},
            "yaxis": yaxis,
            "annotations": _names(traces, from_zero="rangemode" in yaxis),
            "meta": {
                "finding": finding,
                "empty": gettext("None of these runs has reported a point."),
                "rows": gettext("epoch"),
            },
        },
    }


def _last(trace: Figure) -> tuple[float, float] | None:
    pairs = [(x, y) for x, y in zip(trace["x"], trace["y"], strict=True) if y is not None]
    return pairs[-1] if pairs else None


def _names(traces: list[Figure], *, from_zero: bool) -> list[Figure]:
    """At the lines' ends, moved apart where they end close together."""
    labels = [
        {
            "x": end[0],
            "y": end[1],
            "text": trace["name"],
            "xanchor": "left",
            "yanchor": "middle",
            "showarrow": False,
            "xshift": 6,
            "font": {"color": trace["line"]["color"]},
        }
        for trace in traces
        if (end := _last(trace)) is not None
    ]
    return ends_apart(labels, [y for trace in traces for y in trace["y"] if y is not None], from_zero=from_zero)


def _ends(traces: list[Figure], words: str, form: str) -> str:
    said = [f"{t['name']}: {localized(form.format(end[1]))}" for t in traces if (end := _last(t)) is not None]
    return f"{words} {', '.join(said)}." if said else gettext("None of these runs has reported a point.")

"""Traffic as Plotly figures: how much, how fast, how sure, and what was answered."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from apps.monitoring.log.traffic import Bucket, Traffic
from apps.pages.line_ends import ends_apart
from apps.pages.numbers import fill, localized

Figure = dict[str, Any]
ROOM = 0.12  # of the range, free at the right of every figure: labels at the lines’ ends, and one axis for all
NAMED = 6  # labels with a color of their own; the rest is one band
COLORS = [f"var(--{name})" for name in ("collect", "annotate", "train", "evaluate", "deploy", "monitor")]
OTHER = gettext_lazy("all other labels")


def traffic(found: Traffic, colors: Mapping[str, str]) -> dict[str, Figure]:
    """Figures over one time axis; `colors` are the labels' own, by name."""
    return {
        "volume": volume(found),
        "errors": errors(found),
        "latency": latency(found),
        "confidence": confidence(found),
        "mix": mix(found, colors),
    }


def volume(found: Traffic) -> Figure:
    bars = {
        "type": "bar",
        "name": gettext("answers"),
        "x": _moments(found),
        "y": [b.answers for b in found.buckets],
        "width": _width_ms(found),
        "offset": 0,
        "marker": {"color": "var(--accent)"},
        "hovertemplate": gettext("%{y:,} answers"),
    }
    return _figure(
        found,
        [bars],
        {"rangemode": "tozero", "tickformat": ",d"},
        fill(gettext("{answers:,} answers in this period."), answers=found.answers),
    )


def errors(found: Traffic) -> Figure:
    """Share of what was asked that failed, also where nothing was answered at all."""
    asked = replace(found, buckets=found.asked)
    shares = [round(100 * b.failed_share, 3) for b in found.asked]
    line = _line(asked, gettext("failed"), shares, "var(--accent)", "%{y:.2f} %")
    words = (
        fill(
            gettext("{failures:,} requests failed, {share:.2f} percent."),
            failures=found.failures,
            share=100 * found.failed_share,
        )
        if found.failed_share is not None
        else ""
    )
    return _figure(asked, [line], {"rangemode": "tozero", "ticksuffix": " %"}, words)


def latency(found: Traffic) -> Figure:
    median = _line(found, gettext("median"), [b.median_ms for b in found.buckets], "var(--accent)", "%{y:.0f} ms")
    slow = _line(
        found, gettext("95 of 100 within"), [b.slowest_ms for b in found.buckets], "var(--ink-2)", "%{y:.0f} ms"
    )
    words = (
        fill(
            gettext("The slowest five in a hundred took {slowest_ms:.0f} milliseconds at most."),
            slowest_ms=found.slowest_ms,
        )
        if found.slowest_ms
        else ""
    )
    figure = _figure(found, [median, slow], {"rangemode": "tozero", "ticksuffix": " ms"}, words)
    labels = [_end(t, "{:.0f} ms") for t in (median, slow) if t["x"]]
    drawn = [y for t in (median, slow) for y in t["y"] if y is not None]
    figure["layout"]["annotations"] = ends_apart(labels, drawn, from_zero=True)
    return figure


def confidence(found: Traffic) -> Figure:
    line = _line(
        found,
        gettext("mean confidence"),
        [round(100 * b.confidence, 2) for b in found.buckets],
        "var(--accent)",
        "%{y:.1f} %",
    )
    words = (
        fill(gettext("Mean confidence is {confidence:.0f} percent."), confidence=100 * found.confidence)
        if found.confidence is not None
        else ""
    )
    return _figure(found, [line], {"range": [0, 100], "ticksuffix": " %"}, words)


def mix(found: Traffic, colors: Mapping[str, str]) -> Figure:
    """Shares of the labels answered, most frequent at the bottom."""
    total = Counter[str]()
    for bucket in found.buckets:
        total.update(bucket.by_label)
    named = [label for label, _ in total.most_common(NAMED)]
    traces = [
        _share(
            found, label, [b.by_label.get(label, 0) / b.answers for b in found.buckets], colors.get(label) or COLORS[i]
        )
        for i, label in enumerate(named)
    ]
    if len(total) > NAMED:
        rest = [sum(n for label, n in b.by_label.items() if label not in named) / b.answers for b in found.buckets]
        traces.append(_share(found, str(OTHER), rest, "var(--line-strong)"))
    first = total.most_common(1)
    words = (
        fill(
            gettext("“{first}” is answered most often, {answers:.0f} percent of the time."),
            first=first[0][0],
            answers=100 * first[0][1] / found.answers,
        )
        if first
        else ""
    )
    figure = _figure(found, traces, {"range": [0, 100], "ticksuffix": " %"}, words)
    figure["layout"] |= {"barmode": "stack", "showlegend": True, "legend": {"traceorder": "normal"}}
    return figure


def _share(found: Traffic, label: str, shares: list[float], color: str) -> Figure:
    return {
        "type": "bar",
        "name": label,
        "x": _moments(found),
        "y": [round(100 * s, 2) for s in shares],
        "width": _width_ms(found),
        "offset": 0,
        "marker": {"color": color, "line": {"width": 0}},
        "hovertemplate": "%{y:.0f} %",
    }


def _line(found: Traffic, name: str, values: list[float], color: str, hover: str) -> Figure:
    """A bucket without an answer breaks the line instead of being drawn over."""
    x: list[str] = []
    y: list[float | None] = []
    before: Bucket | None = None
    for bucket, value in zip(found.buckets, values, strict=True):
        if before and bucket.at - before.at > 1.5 * found.step:  # a day of 25 hours is none
            x.append((before.at + found.step).isoformat())
            y.append(None)
        x.append(bucket.at.isoformat())
        y.append(round(value, 2))
        before = bucket
    mode = "lines+markers" if len(found.buckets) < 12 else "lines"
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": x,
        "y": y,
        "connectgaps": False,
        "line": {"color": color, "width": 2},
        "hovertemplate": hover,
    }


def _figure(found: Traffic, traces: list[Figure], yaxis: Figure, finding: str) -> Figure:
    shown = traces if found.buckets else []
    return {
        "data": shown,
        "layout": {
            "xaxis": {
                "type": "date",
                "range": [found.period.since.isoformat(), (found.period.until + ROOM * found.period.span).isoformat()],
            },
            "yaxis": yaxis,
            "bargap": 0.1,
            "meta": {
                "finding": finding or gettext("No answers."),
                "empty": gettext("No answer in this period."),
                "rows": gettext("from"),
            },
        },
    }


def _end(trace: Figure, form: str) -> Figure:
    return {
        "x": trace["x"][-1],
        "y": trace["y"][-1],
        "text": localized(form.format(trace["y"][-1])),
        "showarrow": False,
        "xanchor": "left",
        "xshift": 6,
        "font": {"color": trace["line"]["color"]},
    }


def _moments(found: Traffic) -> list[str]:
    return [b.at.isoformat() for b in found.buckets]


def _width_ms(found: Traffic) -> float:
    return 0.9 * found.step / timedelta(milliseconds=1)

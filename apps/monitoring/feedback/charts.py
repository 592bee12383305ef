"""Feedback over time as a Plotly figure: a line for each version and arm, of what is mature."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from apps.monitoring.feedback.selectors import ArmMean
from apps.pages.line_ends import ends_apart
from apps.pages.numbers import fill, localized
from apps.pages.periods import Period

Figure = dict[str, Any]
COLORS = [f"var(--{name})" for name in ("accent", "train", "deploy", "evaluate", "monitor", "annotate")]
MOST_LINES = len(COLORS)
ROOM = 0.12  # of the period, at the right, for the names at the lines' ends


def means(found: Sequence[ArmMean], period: Period, mature_until: datetime, *, as_share: bool) -> Figure:
    """`found` has buckets. The versions that answered most have a line; the others are in the table. What is not mature is in a
    shade."""
    lines: dict[tuple[int, str], list[ArmMean]] = defaultdict(list)
    for mean in found:
        lines[mean.version, mean.arm].append(mean)
    most = sorted(lines, key=lambda key: -sum(m.requests for m in lines[key]))[:MOST_LINES]
    traces = [_line(lines[key], color, as_share) for key, color in zip(sorted(most), COLORS, strict=False)]
    total = sum(m.requests for m in found)
    drawn = [y for trace in traces for y in trace["y"]]
    whole = as_share and max(drawn, default=0) > 25  # percent; small shares would lie flat on the axis
    ends = [_end(trace, as_share) for trace in traces]
    young = max(mature_until, period.since)
    shade = [_shade(young, period.until)] if traces and young < period.until else []
    return {
        "data": traces,
        "layout": {
            "xaxis": {
                "type": "date",
                "range": [period.since.isoformat(), (period.until + ROOM * period.span).isoformat()],
            },
            "yaxis": {
                **({"range": [0, 100]} if whole else {"rangemode": "tozero"}),
                "ticksuffix": " %" if as_share else "",
            },
            "shapes": shade,
            "annotations": [
                *(ends_apart(ends, [*drawn, 100.0] if whole else drawn, from_zero=True) if ends else []),
                *([_young(young)] if shade else []),
            ],
            "meta": {
                "finding": fill(gettext("{n:,} mature answers are judged."), n=total),
                "empty": gettext("No mature feedback in this period."),
                "rows": gettext("from"),
            },
        },
    }


def _shade(since: datetime, until: datetime) -> Figure:
    """Over what is younger than maturity: there no line can be yet."""
    return {
        "type": "rect",
        "x0": since.isoformat(),
        "x1": until.isoformat(),
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"width": 0},
        "fillcolor": "var(--line)",
        "opacity": 0.5,
    }


def _young(since: datetime) -> Figure:
    place = {"x": since.isoformat(), "yref": "paper", "y": 0, "xanchor": "left", "yanchor": "bottom", "xshift": 3}
    return {**place, "text": gettext("not mature yet"), "showarrow": False, "font": {"color": "var(--ink-2)"}}


def _line(means_: Sequence[ArmMean], color: str, as_share: bool) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(means_) < 12 else "lines",
        "name": name_of(means_[0]),
        "x": [m.at.isoformat() for m in means_ if m.at],
        "y": [round(100 * m.mean, 2) if as_share else round(m.mean, 4) for m in means_],
        "line": {"color": color, "width": 2, "dash": "dot" if means_[0].arm == "canary" else "solid"},
        "hovertemplate": "%{y:.1f} %" if as_share else "%{y:.3g}",
    }


def name_of(mean: ArmMean) -> str:
    if mean.arm == "canary":
        return gettext("v{number} as canary").format(number=mean.version)
    return f"v{mean.version}"


def _end(trace: Figure, as_share: bool) -> Figure:
    value = f"{trace['y'][-1]:.1f} %" if as_share else f"{trace['y'][-1]:.3g}"
    return {
        "x": trace["x"][-1],
        "y": trace["y"][-1],
        "text": f"{trace['name']} {localized(value)}",
        "showarrow": False,
        "xanchor": "left",
        "xshift": 6,
        "font": {"color": trace["line"]["color"]},
    }

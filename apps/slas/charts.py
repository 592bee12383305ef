"""Laps against the target, and where their time went, as Plotly figures."""

from statistics import median
from typing import Any

from django.utils.translation import gettext

from apps.pages.numbers import decimal, fill
from apps.slas.models import Lap, Stage
from apps.slas.selectors import Levels

Figure = dict[str, Any]
ROOM = 0.04  # of the width, for the words at the last lap
MEDIAN_OF = 5  # laps under the thin line
BARS = 14  # newest laps shown stage by stage; more would be hairlines at 360 px
OWN_SCALE = 0.05  # of the target: shorter laps get an axis of their own


def figures(found: Levels) -> dict[str, Figure]:
    return {"laps": laps(found), "stages": stages(found)}


def laps(found: Levels) -> Figure:
    """A circle is a lap in time, a square a breach; the dashed line is the target."""
    longest = max((lap.p90_s for lap in found.laps), default=0.0)
    target_s = found.target_hours * 3600
    shows_target = longest >= OWN_SCALE * target_s
    unit_s, unit = _unit(max(longest, target_s) if shows_target else longest)
    traces = [
        _marks(
            gettext("in time"), [lap for lap in found.laps if not lap.breached], "circle", "var(--accent)", unit_s, unit
        ),
        _marks(gettext("breach"), [lap for lap in found.laps if lap.breached], "square", "var(--breach)", unit_s, unit),
    ]
    if len(found.laps) >= MEDIAN_OF:
        traces.insert(0, _middle(found.laps, unit_s, unit))
    layout: Figure = {
        "xaxis": {
            "type": "date",
            "range": [found.period.since.isoformat(), (found.period.until + ROOM * found.period.span).isoformat()],
        },
        "yaxis": {"rangemode": "tozero", "ticksuffix": f" {unit}"},
        "hovermode": "closest",
        "annotations": _last(found, unit_s, unit),
        "meta": {
            "finding": _finding(found),
            "empty": gettext("No lap closed in this period."),
            "rows": gettext("closed"),
        },
    }
    if shows_target:
        y = target_s / unit_s
        layout["shapes"] = [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": y,
                "y1": y,
                "line": {"color": "var(--ink)", "width": 1.5, "dash": "dash"},
            }
        ]
        layout["annotations"].append(
            {
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "y": y,
                "yanchor": "bottom",
                "showarrow": False,
                "text": gettext("target {y:g} {unit}").format(y=y, unit=unit),
                "font": {"color": "var(--ink)"},
            }
        )
    return {"data": [t for t in traces if t["x"]], "layout": layout}


def stages(found: Levels) -> Figure:
    """Stacked bars of the newest laps: waiting hatched, work solid, both in the stage's color."""
    shown = found.laps[-BARS:]
    unit_s, unit = _unit(max((lap.p90_s for lap in shown), default=0.0))
    traces = [
        trace
        for stage in Stage
        for trace in (_bars(shown, stage, "wait", unit_s, unit), _bars(shown, stage, "work", unit_s, unit))
    ]
    return {
        "data": traces if shown else [],
        "layout": {
            "barmode": "stack",
            "bargap": 0.25,
            "xaxis": {"type": "category", "tickangle": 0},
            "yaxis": {"rangemode": "tozero", "ticksuffix": f" {unit}"},
            "meta": {
                "finding": _stage_finding(found),
                "empty": gettext("No lap closed in this period."),
                "rows": gettext("lap"),
            },
        },
    }


def _bars(shown: tuple[Lap, ...], stage: Stage, kind: str, unit_s: float, unit: str) -> Figure:
    values = [{t.stage: getattr(t, f"{kind}_s") for t in lap.stages.all()}.get(stage, 0.0) / unit_s for lap in shown]
    color = f"var(--{stage.value})"
    marker: Figure = {"color": color, "line": {"width": 1, "color": color if kind == "wait" else "var(--paper)"}}
    if kind == "wait":
        marker["pattern"] = {"shape": "/", "bgcolor": "var(--paper)", "fgcolor": color, "size": 5, "solidity": 0.45}
    doing = gettext("waiting") if kind == "wait" else gettext("work")
    return {
        "type": "bar",
        "name": f"{stage.label}, {doing}",
        "x": [str(lap.number) for lap in shown],
        "y": [round(v, 4) for v in values],
        "marker": marker,
        "hovertemplate": f"%{{y:.3~f}} {unit}",
    }


def _marks(name: str, laps: list[Lap], symbol: str, color: str, unit_s: float, unit: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [lap.closed_at.isoformat() for lap in laps],
        "y": [round(lap.p90_s / unit_s, 4) for lap in laps],
        "marker": {"symbol": symbol, "size": 9, "color": color},
        "text": [
            fill(gettext("lap {number}: {took:.1f} {unit}"), number=lap.number, took=lap.p90_s / unit_s, unit=unit)
            for lap in laps
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _middle(laps: tuple[Lap, ...], unit_s: float, unit: str) -> Figure:
    middles = [median(lap.p90_s for lap in laps[max(0, i - MEDIAN_OF + 1) : i + 1]) for i in range(len(laps))]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": gettext("median of {median_of}").format(median_of=MEDIAN_OF),
        "x": [lap.closed_at.isoformat() for lap in laps],
        "y": [round(m / unit_s, 4) for m in middles],
        "line": {"color": "var(--line-strong)", "width": 1},
        "text": [f"{decimal(m / unit_s, 1)} {unit}" for m in middles],
        "hoverinfo": "skip",
    }


def _last(found: Levels, unit_s: float, unit: str) -> list[Figure]:
    if not found.laps:
        return []
    lap = found.laps[-1]
    color = "var(--breach)" if lap.breached else "var(--accent)"
    return [
        {
            "x": lap.closed_at.isoformat(),
            "y": lap.p90_s / unit_s,
            "text": f"{decimal(lap.p90_s / unit_s, 1)} {unit}",
            "showarrow": False,
            "yshift": -14,
            "font": {"color": color},
        }
    ]


def _unit(seconds: float) -> tuple[float, str]:
    if seconds >= 3 * 3600:
        return 3600.0, "h"
    return (60.0, "min") if seconds >= 180 else (1.0, "s")


def _finding(found: Levels) -> str:
    if not found.laps:
        return gettext("No lap closed in this period.")
    return gettext("{in_time} of {laps} laps were within the target of {target_hours:g} hours.").format(
        in_time=found.in_time, laps=len(found.laps), target_hours=found.target_hours
    )


def _stage_finding(found: Levels) -> str:
    slowest = found.slowest
    return (
        gettext("Most time goes into {stage}.").format(stage=slowest.stage.label.lower())
        if slowest
        else gettext("No lap closed in this period.")
    )

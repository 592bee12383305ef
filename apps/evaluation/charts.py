"""What a report says, as Plotly figures: the confusion matrix, and random against active labeling."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from apps.evaluation.models import FreshnessGap, LearningReport, Report
from apps.evaluation.reporting.page import CertaintyBin
from apps.pages.numbers import fill, percent, signed
from apps.pages.words import counted

Figure = dict[str, Any]
ROOM_FOR_A_NAME = 0.12  # of the axis
SHORT = 18  # characters of a label's name on an axis
WRITTEN = 12  # classes up to which each cell carries its count
AS_SURE_AS_RIGHT = 0.01  # a gap of less is none
EVERY = 30  # classes up to which each has its name on both axes


def confusion(report: Report) -> Figure:
    """Shares of each row, so that a rare class is as readable as a frequent one; the counts are in the text."""
    shares = [[cell / total if (total := sum(row)) else 0.0 for cell in row] for row in report.confusion]
    names = _short(list(report.label_names))
    tilt = -35 if len(names) > 4 and max(map(len, names)) > 3 else 0  # degrees; short names stand upright
    axis = {"type": "category", "showgrid": False, "dtick": 1 if len(names) <= EVERY else None}
    return {
        "data": [
            {
                "type": "heatmap",
                "x": names,
                "y": names,
                "z": shares,
                "text": report.confusion,
                "zmin": 0,
                "zmax": 1,
                "colorscale": [[0, "var(--raised)"], [1, "var(--accent)"]],
                "showscale": False,
                "xgap": 1,
                "ygap": 1,
                "meta": {
                    "written": len(names) <= WRITTEN
                },  # each count in black or white, whichever its cell lets read
                "hovertemplate": gettext("truth %{y}<br>said %{x}<br>%{text} examples, %{z:.0%}") + "<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {**axis, "title": {"text": gettext("the model said")}, "tickangle": tilt},
            "yaxis": {**axis, "title": {"text": gettext("truth")}, "autorange": "reversed"},
            "meta": {
                "finding": finding(report),
                "empty": gettext("No holdout example was judged."),
                "rows": gettext("truth"),
            },
        },
    }


def calibration(bins: Sequence[CertaintyBin]) -> Figure:
    """How often it is right where it is so sure, beside the line on which both are the same."""
    line = {"color": "var(--line-strong)", "width": 1, "dash": "dot"}
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": gettext("right"),
        "x": [round(each.certainty, 4) for each in bins],
        "y": [round(each.right, 4) for each in bins],
        "text": [counted(each.n, "example") for each in bins],
        "line": {"color": "var(--accent)", "width": 2},
        "marker": {"size": 7, "color": "var(--accent)"},
        "cliponaxis": False,
        "hovertemplate": gettext("%{x:.0%} sure<br>%{y:.0%} right<br>%{text}") + "<extra></extra>",
    }
    return {
        "data": [trace] if bins else [],
        "layout": {
            "xaxis": {"tickformat": ".0%", "range": [0, 1], "title": {"text": gettext("how sure it is")}},
            "yaxis": {"tickformat": ".0%", "range": [0, 1], "title": {"text": gettext("how often it is right")}},
            "shapes": [{"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": line, "layer": "below"}],
            "meta": {
                "finding": _calibration_finding(bins),
                "empty": gettext("No single answers can be read."),
                "rows": gettext("how sure it is"),
            },
        },
    }


def _calibration_finding(bins: Sequence[CertaintyBin]) -> str:
    n = sum(each.n for each in bins)
    if not n:
        return ""
    gap = sum(each.n * (each.certainty - each.right) for each in bins) / n
    words = fill(
        gettext("{sure} sure on average, {right} right"),
        sure=percent(sum(each.n * each.certainty for each in bins) / n, 1),
        right=percent(sum(each.n * each.right for each in bins) / n, 1),
    )
    if abs(gap) < AS_SURE_AS_RIGHT:
        return gettext("{words}; as sure as it may be.").format(words=words)
    too = gettext("{words}; surer than it may be.") if gap > 0 else gettext("{words}; less sure than it may be.")
    return too.format(words=words)


def gaps(found: list[FreshnessGap]) -> Figure:
    """Points of accuracy by which each full run was better than the incremental line, with 95 % intervals."""
    rows = found[::-1]
    values = [g.points for g in rows]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "name": gettext("gap"),
                "x": [g.full_run.number for g in rows],
                "y": values,
                "marker": {"size": 8, "color": "var(--accent)"},
                "cliponaxis": False,
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [g.high - g.points for g in rows],
                    "arrayminus": [g.points - g.low for g in rows],
                    "color": "var(--ink-2)",
                    "thickness": 1,
                    "width": 0,
                },
                "hovertemplate": gettext("run %{x}<br>%{y:+.1f} points") + "<extra></extra>",
            }
        ]
        if rows
        else [],
        "layout": {
            "xaxis": {"title": {"text": gettext("full run")}, "dtick": 1 if len(rows) < SHORT else None},
            "yaxis": {"title": {"text": gettext("points")}, "zeroline": True},
            "meta": {
                "finding": _gap_finding(found),
                "empty": gettext("No full run was held against an incremental one yet."),
                "rows": gettext("full run"),
            },
        },
    }


def _gap_finding(found: list[FreshnessGap]) -> str:
    if not found:
        return ""
    newest = found[0]
    words = gettext("Run {number}: {points} points, between {low} and {high}").format(
        number=newest.full_run.number, points=signed(newest.points), low=signed(newest.low), high=signed(newest.high)
    )
    if newest.real:
        return gettext("{words}; full is surely better.").format(words=words)
    return gettext("{words}; the incremental line keeps up, as far as these rows can tell.").format(words=words)


def finding(report: Report) -> str:
    right = sum(row[i] for i, row in enumerate(report.confusion) if i < len(row))
    mistakes = [(cell, i, j) for i, row in enumerate(report.confusion) for j, cell in enumerate(row) if i != j]
    times, truth, said = max(mistakes, default=(0, 0, 0))
    words = fill(gettext("{right:,} of {examples:,} holdout examples are right"), right=right, examples=report.examples)
    if not times:
        return gettext("{words}; no two labels are confused.").format(words=words)
    names = report.label_names
    return gettext("{words}; most often “{truth}” is taken for “{said}”, {time}.").format(
        words=words, truth=names[truth], said=names[said], time=counted(times, "time")
    )


def _short(names: list[str]) -> list[str]:
    """Cut names, kept apart by a number where cutting made two alike."""
    seen: dict[str, int] = {}
    short = []
    for name in names:
        cut = name if len(name) <= SHORT else f"{name[: SHORT - 1]}…"
        seen[cut] = seen.get(cut, 0) + 1
        short.append(cut if seen[cut] == 1 else f"{cut} {seen[cut]}")
    return short


def learning(report: LearningReport | None, runs: Sequence[tuple[int, int]] = ()) -> Figure:
    """Two lines over the number of labels, each with its 95 % band; what they are called stands at their ends.

    `runs` are (labels of the active lane, number): each is a thin line, named where there is room.
    """
    lanes = [
        (gettext("Random"), report.random_points if report else [], "var(--ink-3)", "dash"),
        (gettext("Active"), report.active_points if report else [], "var(--accent)", "solid"),
    ]
    drawn = [lane for lane in lanes if lane[1]]
    traces = [_band(points, color) for _, points, color, _ in drawn] + [_line(*lane) for lane in drawn]
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": gettext("labels of the lane")}, "rangemode": "tozero", "showgrid": False},
            "yaxis": {"tickformat": ".0%", "title": {"text": gettext("right on the holdout")}},
            "annotations": [_at_end(name, points, color) for name, points, color, _ in drawn] + _run_names(runs),
            "shapes": [_run_line(labels) for labels in sorted({labels for labels, _ in runs})],
            "meta": {
                "finding": str(report.lift["sentence"]) if report else gettext("Nothing is measured yet."),
                "empty": gettext("Both lanes need 10 labels and the holdout 1 before there is anything to draw."),
                "rows": gettext("labels"),
            },
        },
    }


def _line(name: str, points: list[dict[str, float]], color: str, dash: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [p["labels"] for p in points],
        "y": [round(p["score"], 4) for p in points],
        "line": {"color": color, "width": 2, "dash": dash},
        "marker": {"size": 6, "color": color, "symbol": "circle" if dash == "solid" else "square"},
        "text": [
            gettext("{score}, {low} to {high}").format(
                **{name: percent(p[name], 1) for name in ("score", "low", "high")}
            )
            for p in points
        ],
        "hovertemplate": "%{text}",
    }


def _band(points: list[dict[str, float]], color: str) -> Figure:
    """There and back along the interval's ends."""
    xs = [p["labels"] for p in points]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*xs, *reversed(xs)],
        "hoverinfo": "skip",
        "opacity": 0.16,
        "y": [round(p["high"], 4) for p in points] + [round(p["low"], 4) for p in reversed(points)],
        "fill": "toself",
        "fillcolor": color,
        "line": {"width": 0, "color": color},
        "meta": {"band": True},
    }


def _run_line(labels: int) -> Figure:
    line = {"color": "var(--line-strong)", "width": 1, "dash": "dot"}
    return {
        "type": "line",
        "x0": labels,
        "x1": labels,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": line,
    }


def _run_names(runs: Sequence[tuple[int, int]]) -> list[Figure]:
    """From the newest back: where several ended at the same labels, or close to them, the newest alone is named."""
    widest = max((labels for labels, _ in runs), default=0)
    named: list[tuple[int, int]] = []
    for labels, number in reversed(runs):
        if all(abs(labels - other) >= ROOM_FOR_A_NAME * widest for other, _ in named):
            named.append((labels, number))
    place = {"yref": "paper", "y": 1, "xanchor": "right", "yanchor": "top", "xshift": -3, "showarrow": False}
    return [
        {**place, "x": labels, "text": gettext("run {number}").format(number=number), "font": {"color": "var(--ink-2)"}}
        for labels, number in named
    ]


def _at_end(name: str, points: list[dict[str, float]], color: str) -> Figure:
    last = points[-1]
    return {
        "x": last["labels"],
        "y": last["score"],
        "text": name,
        "showarrow": False,
        "xanchor": "right",
        "yshift": 12 if name == "Active" else -14,
        "font": {"color": color},
    }

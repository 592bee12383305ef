"""Curves of a run as Plotly figures. Plain dictionaries: importing plotly would cost the web process 60 MB."""

from math import sqrt
from typing import Any

from django.utils.translation import gettext

from apps.pages.line_ends import ends_apart
from apps.pages.numbers import fill, localized
from apps.training.models import Run
from apps.training.selectors import Curves

Figure = dict[str, Any]
Z = 1.96  # 95 % of a normal distribution
END_LABEL = {"xanchor": "left", "yanchor": "middle", "showarrow": False, "xshift": 6}


def curves(run: Run, found: Curves, champion: float | None) -> dict[str, Figure]:
    """Both figures of the run page; `champion` is its holdout accuracy when the base run ended."""
    holdout_rows = run.dataset_version.holdout_rows if run.dataset_version else 0
    return {"loss": loss(found, run.steps_total), "holdout": holdout(found, holdout_rows, champion, run.steps_total)}


def loss(found: Curves, steps_total: int) -> Figure:
    traces = [_line(gettext("in training"), found.steps, found.train_loss, "var(--accent)", digits=3)]
    if any(v is not None for v in found.validation_loss):
        traces.append(_line(gettext("in validation"), found.steps, found.validation_loss, "var(--ink-2)", digits=3))
    return {
        "data": traces,
        "layout": {
            "xaxis": _steps(found.steps, steps_total),
            "yaxis": {"rangemode": "tozero", "title": {"text": "nats"}},
            "annotations": ends_apart(
                [a for t in traces for a in _end_label(t, "{:.2f}")],
                [y for t in traces for y in t["y"] if y is not None],
                from_zero=True,
            ),
            "meta": {
                "finding": _loss_finding(found),
                "empty": gettext("No loss was reported yet."),
                "rows": gettext("step"),
            },
        },
    }


def holdout(found: Curves, holdout_rows: int, champion: float | None, steps_total: int) -> Figure:
    """Accuracy with its 95 % Wilson interval; the champion as one dashed line, named at its end."""
    pairs = [(s, a) for s, a in zip(found.steps, found.holdout_accuracy, strict=True) if a is not None]
    steps, shares = [s for s, _ in pairs], [a for _, a in pairs]
    trace = _line(
        gettext("holdout accuracy"), steps, [100 * a for a in shares], "var(--accent)", digits=1, mode="lines+markers"
    )
    if holdout_rows:
        ends = [wilson(a, holdout_rows) for a in shares]
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "color": "var(--ink-2)",
            "thickness": 1,
            "width": 0,
            "array": [100 * (high - a) for a, (_, high) in zip(shares, ends, strict=True)],
            "arrayminus": [100 * (a - low) for a, (low, _) in zip(shares, ends, strict=True)],
        }
        trace["text"] = [
            fill(gettext("{a:.1f} %, between {lo:.1f} and {hi:.1f}"), a=100 * a, lo=100 * lo, hi=100 * hi)
            for a, (lo, hi) in zip(shares, ends, strict=True)
        ]
    layout: Figure = {
        "xaxis": _steps(found.steps, steps_total),
        "yaxis": {"ticksuffix": " %"},
        "annotations": _end_label(trace, "{:.1f} %"),
        "meta": {
            "finding": _holdout_finding(shares, champion),
            "empty": gettext("Nothing was measured on the holdout yet."),
            "rows": gettext("step"),
        },
    }
    if champion is not None:
        for label in layout["annotations"]:  # beside the champion's line, never on it
            label["yshift"] = 9 if label["y"] >= 100 * champion else -9
        layout["shapes"] = [_across(100 * champion)]
        layout["annotations"].append(
            {
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "xshift": 4,
                "y": 100 * champion,
                "yanchor": "bottom",
                "showarrow": False,
                "text": fill(gettext("champion {champion:.1f} %"), champion=100 * champion),
                "font": {"color": "var(--ink)"},
            }
        )
    return {"data": [trace], "layout": layout}


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share of n (Wilson 1927): inside 0 and 1 even when every example is right.

    >>> low, high = wilson(0.918, 3080)
    >>> round(low, 3), round(high, 3)
    (0.908, 0.927)
    """
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _line(name: str, x: Any, y: Any, color: str, *, digits: int, mode: str = "lines") -> Figure:
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": list(x),
        "y": [None if v is None else round(v, 5) for v in y],
        "connectgaps": True,
        "line": {"color": color, "width": 2},
        "marker": {"size": 7},
        "hovertemplate": f"%{{y:.{digits}f}}",
    }


def _end_label(trace: Figure, form: str) -> list[Figure]:
    last = next(
        ((x, y) for x, y in zip(reversed(trace["x"]), reversed(trace["y"]), strict=True) if y is not None), None
    )
    if last is None:
        return []
    words = localized(form.format(last[1]))
    words = words if trace["mode"] != "lines" else f"{trace['name']} {words}"
    return [{**END_LABEL, "x": last[0], "y": last[1], "text": words, "font": {"color": trace["line"]["color"]}}]


def _steps(steps: tuple[int, ...], steps_total: int) -> Figure:
    """The page makes room for the labels at the lines' ends; the axis does not jump while points come in."""
    end = max([steps_total, *steps, 1])
    return {"range": [0, end * 1.02], "title": {"text": gettext("step")}, "tickformat": ","}


def _across(y: float) -> Figure:
    line = {"color": "var(--ink)", "width": 1.5, "dash": "dash"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}


def _loss_finding(found: Curves) -> str:
    if not found.steps:
        return gettext("No loss was reported yet.")
    held = [v for v in found.validation_loss if v is not None]
    words = fill(
        gettext("Training loss went from {first:.2f} to {last:.2f}"),
        first=found.train_loss[0],
        last=found.train_loss[-1],
    )
    return (
        fill(
            gettext("{words}, validation loss to {held:.2f}, at step {steps:,}."),
            words=words,
            held=held[-1],
            steps=found.steps[-1],
        )
        if held
        else fill(gettext("{words} at step {steps:,}."), words=words, steps=found.steps[-1])
    )


def _holdout_finding(shares: list[float], champion: float | None) -> str:
    if not shares:
        return gettext("Nothing was measured on the holdout yet.")
    words = fill(
        gettext("Holdout accuracy is {last:.1f} percent after {n} measurements"), last=100 * shares[-1], n=len(shares)
    )
    return (
        fill(gettext("{words}; the champion had {champion:.1f}."), words=words, champion=100 * champion)
        if champion is not None
        else f"{words}."
    )

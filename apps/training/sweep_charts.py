"""Figures of a sweep: how the best loss fell, which settings mattered, and which values went together.

Parallel coordinates are drawn with plain lines. Plotly's own kind compiles code at run time, which the console's content
security policy forbids.
"""

from itertools import accumulate
from math import log
from typing import Any

from django.utils.translation import gettext

from apps.pages.numbers import fill, localized
from apps.training.models import Trial, TrialState
from apps.training.sweep_selectors import SweepShown

Figure = dict[str, Any]
MOST_LINES = 100  # best trials drawn side by side; more is a grey block


def figures(found: SweepShown) -> dict[str, Figure]:
    return {"history": history(found), "importance": importance(found), "parallel": parallel(found)}


def history(found: SweepShown) -> Figure:
    """Each trial's loss, and the least one so far among those that came to their end."""
    valued = [t for t in found.trials if t.value is not None]
    ended = [t for t in valued if t.state == TrialState.COMPLETED]
    pruned = [t for t in valued if t.state == TrialState.PRUNED]
    best = list(accumulate((float(t.value or 0) for t in ended), min))
    traces = [
        _dots(gettext("completed"), ended, "var(--accent)"),
        _dots(gettext("pruned"), pruned, "var(--ink-3)"),
        {
            "type": "scatter",
            "mode": "lines",
            "name": gettext("best so far"),
            "x": [t.number for t in ended],
            "y": [round(v, 4) for v in best],
            "line": {"color": "var(--ink)", "width": 1.5, "shape": "hv"},
        },
    ]
    return {
        "data": [trace for trace in traces if trace["x"]],
        "layout": {
            "xaxis": {"title": {"text": gettext("trial")}, "tickformat": "d"},
            "yaxis": {"title": {"text": gettext("validation loss, nats")}},
            "showlegend": True,
            "meta": {
                "finding": _best_words(found),
                "empty": gettext("No trial has told a loss yet."),
                "rows": gettext("trial"),
            },
        },
    }


def importance(found: SweepShown) -> Figure:
    ranked = sorted(found.sweep.importance.items(), key=lambda pair: -pair[1])
    names, shares = [name for name, _ in ranked], [round(100 * share, 1) for _, share in ranked]
    words = (
        fill(gettext("{name} explains {share:.0f} percent of the differences in loss."), name=names[0], share=shares[0])
        if ranked
        else gettext("It is worked out when the sweep has ended, from at least four completed trials.")
    )
    return {
        "data": [{"type": "bar", "name": "%", "x": names, "y": shares, "marker": {"color": "var(--accent)"}}]
        if ranked
        else [],
        "layout": {
            "yaxis": {"ticksuffix": " %", "rangemode": "tozero"},
            "hovermode": "closest",
            "meta": {"finding": words, "empty": words, "rows": gettext("setting")},
        },
    }


def parallel(found: SweepShown) -> Figure:
    """One line a completed trial over all settings and the loss; each axis goes from its least to its largest value."""
    ended = sorted(
        (t for t in found.trials if t.state == TrialState.COMPLETED and t.value is not None),
        key=lambda t: float(t.value or 0),
    )[:MOST_LINES]
    losses = [float(t.value or 0) for t in ended]
    columns = [*found.names, gettext("loss")]
    spans = [
        (found.sweep.space[n]["low"], found.sweep.space[n]["high"], found.sweep.space[n]["log"]) for n in found.names
    ]
    spans.append((min(losses, default=0.0), max(losses, default=1.0), False))
    traces = []
    for place, trial in reversed(list(enumerate(ended))):  # the best is drawn last, over the others
        values = [*(trial.settings[name] for name in found.names), losses[place]]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": gettext("trial {n}").format(n=trial.number),
                "x": columns,
                "y": [round(_place(v, *s), 4) for v, s in zip(values, spans, strict=True)],
                "text": [localized(f"{v:.4g}") for v in values],
                "hovertemplate": "%{text}",
                "line": {"color": _color(place, len(ended)), "width": 3 if place == 0 else 1},
                "opacity": 1 if place == 0 else 0.6,
                "marker": {"size": 5},
            }
        )
    return {
        "data": traces,
        "layout": {
            "yaxis": {"range": [-0.12, 1.12], "showticklabels": False, "showgrid": False},
            "xaxis": {"type": "category", "showgrid": True},
            "hovermode": "closest",
            "annotations": [a for c, s in zip(columns, spans, strict=True) for a in _ends(c, s[0], s[1])]
            if ended
            else [],
            "meta": {
                "finding": _best_words(found),
                "empty": gettext("No trial has come to its end yet."),
                "rows": gettext("setting"),
            },
        },
    }


def _place(value: float, low: float, high: float, logarithmic: bool) -> float:
    """Between 0 and 1 on its axis.

    >>> _place(0.01, 0.001, 0.1, True), _place(3, 2, 4, False), _place(5, 5, 5, False)
    (0.5, 0.5, 0.5)
    """
    if high <= low:
        return 0.5
    if logarithmic:
        return round(log(value / low) / log(high / low), 9)
    return (value - low) / (high - low)


def _ends(column: str, low: float, high: float) -> list[Figure]:
    shared = {"x": column, "showarrow": False, "font": {"size": 11, "color": "var(--ink-3)"}}
    return [
        {**shared, "y": 0, "yanchor": "top", "yshift": -4, "text": localized(f"{low:.4g}")},
        {**shared, "y": 1, "yanchor": "bottom", "yshift": 4, "text": localized(f"{high:.4g}")},
    ]


def _color(place: int, of: int) -> str:
    """The better third stands out."""
    return "var(--accent)" if place <= of // 3 else "var(--ink-3)"


def _dots(name: str, trials: list[Trial], color: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [t.number for t in trials],
        "y": [round(float(t.value or 0), 4) for t in trials],
        "marker": {"color": color, "size": 7},
    }


def _best_words(found: SweepShown) -> str:
    if found.best is None or found.best.value is None:
        return gettext("No trial has come to its end yet.")
    return fill(
        gettext("Trial {n} is the best so far, with a validation loss of {loss:.3f} nats."),
        n=found.best.number,
        loss=found.best.value,
    )

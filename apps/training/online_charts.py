"""The progressive curve as Plotly figures, plain dictionaries."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext

from apps.pages.numbers import fill
from apps.training.online_selectors import Progress

Figure = dict[str, Any]
DRAWN = 400  # points a line; more cannot be told apart on a screen


def curves(found: Progress) -> dict[str, Figure]:
    return {
        "loss": _figure(found, found.loss, scale=1.0, unit=gettext("nats"), finding=_loss_words(found)),
        "accuracy": _figure(found, found.accuracy, scale=100.0, unit="%", finding=_accuracy_words(found)),
    }


def mean_so_far(values: Sequence[float], learned: Sequence[int]) -> list[float]:
    """
    >>> mean_so_far((1.0, 0.5), (10, 30))
    [1.0, 0.625]
    """
    sums = accumulate(value * n for value, n in zip(values, learned, strict=True))
    return [total / n for total, n in zip(sums, accumulate(learned), strict=True)]


def _figure(found: Progress, values: Sequence[float], *, scale: float, unit: str, finding: str) -> Figure:
    kept = _thinned(len(found.examples))
    means = mean_so_far(values, found.learned)
    x = [found.examples[i] for i in kept]
    return {
        "data": [
            _line(gettext("each update"), x, [scale * values[i] for i in kept], "var(--ink-3)", width=1),
            _line(gettext("mean so far"), x, [scale * means[i] for i in kept], "var(--accent)", width=2),
        ]
        if kept
        else [],
        "layout": {
            "xaxis": {"title": {"text": gettext("examples learned")}, "tickformat": ",", "rangemode": "tozero"},
            "yaxis": {"title": {"text": unit}, "rangemode": "tozero"},
            "showlegend": True,
            "meta": {"finding": finding, "empty": gettext("Nothing was learned yet."), "rows": gettext("examples")},
        },
    }


def _thinned(n: int) -> list[int]:
    """Evenly spread, the last one always among them.

    >>> _thinned(3), len(_thinned(5000)), _thinned(5000)[-1]
    ([0, 1, 2], 400, 4999)
    """
    if n <= DRAWN:
        return list(range(n))
    return [round(i * (n - 1) / (DRAWN - 1)) for i in range(DRAWN)]


def _line(name: str, x: list[int], y: list[float], color: str, *, width: int) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(x) < 30 else "lines",
        "name": name,
        "x": x,
        "y": [round(value, 4) for value in y],
        "line": {"color": color, "width": width},
        "marker": {"size": 5, "color": color},
        "hovertemplate": "%{y:.3f}",
    }


def _loss_words(found: Progress) -> str:
    if not found.examples:
        return gettext("Nothing was learned yet.")
    return fill(
        gettext("Before it learned them, it gave {n:,} examples a loss of {loss:.3f} nats on average."),
        n=sum(found.learned),
        loss=mean_so_far(found.loss, found.learned)[-1],
    )


def _accuracy_words(found: Progress) -> str:
    if not found.examples:
        return gettext("Nothing was learned yet.")
    return fill(
        gettext("Before it learned them, it was right on {share:.1f} percent of {n:,} examples."),
        n=sum(found.learned),
        share=100 * mean_so_far(found.accuracy, found.learned)[-1],
    )

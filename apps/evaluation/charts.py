"""The confusion matrix as a Plotly figure: rows are the truth, columns what the candidate said."""

from typing import Any

from apps.evaluation.models import Report
from apps.rules.words import count

Figure = dict[str, Any]
SHORT = 18  # characters of a label's name on an axis
WRITTEN = 12  # classes up to which each cell carries its count
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
                "type": "heatmap", "x": names, "y": names, "z": shares, "text": report.confusion, "zmin": 0, "zmax": 1,
                "colorscale": [[0, "var(--raised)"], [1, "var(--accent)"]], "showscale": False, "xgap": 1, "ygap": 1,
                "texttemplate": "%{text}" if len(names) <= WRITTEN else None,
                "hovertemplate": "truth %{y}<br>said %{x}<br>%{text} examples, %{z:.0%}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {**axis, "title": {"text": "the model said"}, "tickangle": tilt},
            "yaxis": {**axis, "title": {"text": "truth"}, "autorange": "reversed"},
            "meta": {"finding": finding(report), "empty": "No holdout example was judged.", "rows": "truth"},
        },
    }  # fmt: skip


def finding(report: Report) -> str:
    right = sum(row[i] for i, row in enumerate(report.confusion) if i < len(row))
    mistakes = [(cell, i, j) for i, row in enumerate(report.confusion) for j, cell in enumerate(row) if i != j]
    times, truth, said = max(mistakes, default=(0, 0, 0))
    words = f"{right:,} of {report.examples:,} holdout examples are right"
    if not times:
        return f"{words}; no two labels are confused."
    names = report.label_names
    return f"{words}; most often “{names[truth]}” is taken for “{names[said]}”, {count(times, 'time')}."


def _short(names: list[str]) -> list[str]:
    """Cut names, kept apart by a number where cutting made two alike."""
    seen: dict[str, int] = {}
    short = []
    for name in names:
        cut = name if len(name) <= SHORT else f"{name[: SHORT - 1]}…"
        seen[cut] = seen.get(cut, 0) + 1
        short.append(cut if seen[cut] == 1 else f"{cut} {seen[cut]}")
    return short

"""Features over time as a heat map, and both sides of one feature, as Plotly figures."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from django.utils.translation import gettext

from apps.monitoring.monitors.board import FeatureCell, FeaturesOverTime
from apps.pages import moments
from apps.pages.numbers import fill
from apps.pages.periods import Period

Figure = dict[str, Any]
MOST_SCORE = 6.0  # of the scale: one in a million; beyond it all is as dark
LEAST_REM, AXIS_REM, ROW_REM = (
    13,
    5,
    1.4,
)  # how high it is: as any figure, or what is below its rows and a line of text a row
MOST_PARTS = 45  # of a feature that are drawn


def heat_map(over_time: FeaturesOverTime, period: Period, page: str) -> Figure:
    """How unlike the reference each feature was in each window: zeros behind the point of its chance.

    `page` is the address of a reading whose id is {reading}, for the feature that comes behind it.
    """
    cells = over_time.cells
    features = {cell.called: cell.feature for cell in cells}
    edges = sorted({cell.since for cell in cells} | {cell.until for cell in cells})
    windows = {cell.until for cell in cells}
    of_feature: dict[str, list[FeatureCell | None]] = {name: [None] * max(len(edges) - 1, 0) for name in features}
    places = {edge: place for place, edge in enumerate(edges)}
    for cell in cells:
        for place in range(places[cell.since], places[cell.until]):
            of_feature[cell.called][place] = cell
    rows = list(of_feature.values())
    data = {
        "type": "heatmap",
        "x": [edge.isoformat() for edge in edges],  # one more than cells: where they begin and end
        "y": list(features),
        "z": [[None if cell is None else round(min(cell.score, MOST_SCORE), 2) for cell in row] for row in rows],
        "customdata": [[None if cell is None else cell.reading for cell in row] for row in rows],
        "meta": {"page": page, "of": [quote_plus(name) for name in features.values()]},
        "colorscale": [[0, "var(--paper)"], [1, "var(--monitor)"]],
        "zmin": 0,
        "zmax": MOST_SCORE,
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        "hovertemplate": gettext("%{y}: chance 1 in 10 to the power of %{z:.1f}"),
    }
    drifted = sum(cell.drifted for cell in cells)
    words = fill(
        gettext("{features:,} features in {windows:,} windows; {drifted:,} times one had moved."),
        features=len(features),
        windows=len(windows),
        drifted=drifted,
    )
    if over_time.begins is not None:
        since = moments.moment_of(over_time.begins)
        words += " " + gettext("Only the newest windows are drawn, from {since} on.").format(since=since)
    layout = {
        "xaxis": {"type": "date", "range": [period.since.isoformat(), period.until.isoformat()]},
        "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "dtick": 1},
        "hovermode": "closest",
        "meta": {
            "finding": words,
            "empty": gettext("No window that could tell in this period."),
            "rows": gettext("until"),
            "height": f"{max(LEAST_REM, AXIS_REM + ROW_REM * len(features)):g}rem",
        },
    }
    return {"data": [data] if cells else [], "layout": layout}


def both_sides(feature: Mapping[str, Any]) -> Figure:
    """Shares of the reference and of the window, part by part, the largest ones."""
    parts = feature["parts"]
    shown = [
        (name, 100 * before, 100 * now)
        for name, before, now in zip(parts["names"], parts["reference"], parts["window"], strict=True)
        if before or now
    ][:MOST_PARTS]
    sides = [(gettext("before"), 1, "var(--line-strong)"), (gettext("this window"), 2, "var(--monitor)")]
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": [str(each[0]) for each in shown],
            "y": [round(each[place], 2) for each in shown],
            "marker": {"color": color},
            "hovertemplate": "%{y:.1f} %",
        }
        for name, place, color in sides
    ]
    layout = {
        "barmode": "group",
        "showlegend": True,
        "xaxis": {"type": "category", "automargin": True},
        "yaxis": {"ticksuffix": " %", "rangemode": "tozero"},
        "meta": {"finding": str(feature["reason"]), "rows": gettext("part")},
    }
    return {"data": traces, "layout": layout}

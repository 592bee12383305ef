"""Figures of a page: as JSON for its charts, or the numbers of one of them as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext

from apps.errors import NotFound
from apps.rules.spreadsheets import csv_line

Figure = Mapping[str, Any]
Row = Sequence[Any]


def figures_answer(request: HttpRequest, figures: Mapping[str, Figure]) -> HttpResponse:
    """All of them; with `csv` in the address the one of that name. Raises NotFound."""
    name = request.GET.get("csv")
    if name is None:
        return JsonResponse(figures)
    if name not in figures:
        raise NotFound(gettext("There is no figure of this name here."))
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.writelines(csv_line(row) for row in table_of(figures[name]))
    return answer


def table_of(figure: Figure) -> Iterator[Row]:
    """The header, then a line a place of the axis with what each trace has there; a line a point where one has two at one place.

    >>> list(table_of({"data": [{"name": "n", "x": ["a", "b"], "y": [1, 2]}], "layout": {"meta": {"rows": "when"}}}))
    [['when', 'n'], ['a', 1], ['b', 2]]
    """
    first = figure.get("layout", {}).get("meta", {}).get("rows") or "x"
    traces = [trace for trace in figure["data"] if not (trace.get("meta") or {}).get("band")]
    if any("z" in trace for trace in traces):
        yield from (row for trace in traces for row in _cells(trace, first))
        return
    points = [(str(trace.get("name") or "y"), _points(trace)) for trace in traces]
    if any(len(dict(mine)) < len(mine) for _, mine in points):
        yield ["", first, "y"]
        yield from ([name, *point] for name, mine in points for point in mine)
        return
    values = [(name, dict(mine)) for name, mine in points]
    yield [first, *(name for name, _ in values)]
    for place in dict.fromkeys(place for _, mine in points for place, _ in mine):
        yield [place, *(mine.get(place) for _, mine in values)]


def _points(trace: Figure) -> list[tuple[Any, Any]]:
    """What it is of, and how much; bars that lie have both the other way round. Gaps of a line are left out."""
    x, y = trace.get("x", ()), trace.get("y", ())
    pairs = zip(y, x, strict=False) if trace.get("orientation") == "h" else zip(x, y, strict=False)
    return [(place, value) for place, value in pairs if value is not None]


def _cells(trace: Figure, first: str) -> Iterator[Row]:
    """Of a heat map, whose columns may be edges: one more than cells."""
    width = max(map(len, trace["z"]), default=0)
    yield [first, *list(trace["x"])[:width]]
    for name, row in zip(trace["y"], trace["z"], strict=False):
        yield [name, *row]

"""Words at the ends of lines that end close together: how far each moves so that none stands on another."""

from collections.abc import Sequence
from typing import Any

HEIGHT_PX = 160  # of the lines in a chart of usual size, which is 13 rem with its axis
APART_PX = 14  # a line of small text


def spread(places: Sequence[float], apart: float = APART_PX) -> list[float]:
    """How far each moves, in the order given, so that all are at least `apart`; none moves further than it has to.

    >>> spread([100, 101, 10])
    [-6.5, 6.5, 0.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups: list[list[int]] = []
    for i in order:
        groups.append([i])
        while len(groups) > 1 and _middle(groups[-1], places) - _middle(groups[-2], places) < apart * (
            (len(groups[-1]) + len(groups[-2])) / 2
        ):
            last = groups.pop()
            groups[-1] += last
    moved = [0.0] * len(places)
    for group in groups:
        middle = _middle(group, places)
        for rank, i in enumerate(group):
            moved[i] = middle + apart * (rank - (len(group) - 1) / 2) - places[i]
    return moved


def _middle(group: Sequence[int], places: Sequence[float]) -> float:
    return sum(places[i] for i in group) / len(group)


def ends_apart(labels: Sequence[dict[str, Any]], drawn: Sequence[float], *, from_zero: bool) -> list[dict[str, Any]]:
    """Annotations at `y`, moved apart by `yshift`; `drawn` are all values of the axis, which may begin at zero."""
    low = min([0.0, *drawn] if from_zero else drawn, default=0.0)
    high = max(drawn, default=1.0)
    scale = HEIGHT_PX / (high - low or 1.0)
    shifts = spread([scale * (float(label["y"]) - low) for label in labels])
    return [{**label, "yshift": round(shift, 1)} for label, shift in zip(labels, shifts, strict=True)]

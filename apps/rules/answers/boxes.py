"""Named rectangles on an image, in pixels of the original: x and y of the upper left corner, width, height (COCO)."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.rules.answers.kinds import AnswerKind, AnswerRefused, Value, known_label, listed, unique
from apps.rules.sentences import sentence

MOST_BOXES = 1000
LEAST_SIDE = 1.0  # pixel: less is a slip of the pointer
SAME_OBJECT = 0.5  # intersection over union from which two boxes are one object (PASCAL VOC, COCO AP50)
SLACK = 0.5  # pixel: a screen's rounding is not outside
SIDES = ("x", "y", "width", "height")


@dataclass(frozen=True)
class Boxes(AnswerKind):
    name: str = "boxes"
    title: str = "Named boxes on an image"
    key: str = "boxes"

    def check(self, given: Mapping[str, Any], *, labels: Sequence[str], fields: Mapping[str, Any]) -> Value:
        """Boxes from top to bottom, to a hundredth of a pixel, clipped to the image where rounding left it.

        >>> box = {"x": 1, "y": 2, "width": 3, "height": 4, "label": "cat"}
        >>> Boxes().check({"boxes": [box]}, labels=["cat"], fields={"width": 8, "height": 8})
        {'boxes': [{'x': 1.0, 'y': 2.0, 'width': 3.0, 'height': 4.0, 'label': 'cat'}]}
        """
        width, height = float(fields.get("width") or 0), float(fields.get("height") or 0)
        boxes = [_box(x, labels, width, height) for x in listed(given, self.key, MOST_BOXES)]
        return {"boxes": sorted(boxes, key=lambda b: (b["y"], b["x"], b["height"], b["width"], b["label"]))}

    def similarity(self, a: Value, b: Value) -> float:
        """F1 of objects that both found: same label, matched one to one, each pair counted by its overlap.

        Equal answers give 1, answers without a common object 0, two empty ones 1.
        """
        one, other = a["boxes"], b["boxes"]
        if not one and not other:
            return 1.0
        return 2 * sum(overlap for _, _, overlap in _matched(one, other)) / (len(one) + len(other))

    def merge(self, votes: Sequence[Value]) -> Value:
        """Each object that more than half found, at the mean of their boxes.

        Groups grow vote by vote: a box joins the group whose mean it covers best, never two boxes of one person.
        """
        groups: list[list[Value]] = []
        for vote in votes:
            means = [_mean(group) for group in groups]
            pairs = {j: i for i, j, _ in _matched(means, vote["boxes"])}
            for j, box in enumerate(vote["boxes"]):
                if j in pairs:
                    groups[pairs[j]].append(box)
                else:
                    groups.append([box])
        kept = [_mean(group) for group in groups if len(group) * 2 > len(votes)]
        return {"boxes": sorted(kept, key=lambda b: (b["y"], b["x"], b["height"], b["width"], b["label"]))}

    def labels_in(self, value: Value) -> tuple[str, ...]:
        return unique([str(box["label"]) for box in value["boxes"]])

    def words(self, value: Value) -> str:
        times = Counter(str(box["label"]) for box in value["boxes"])
        return ", ".join(f"{n} {label}" for label, n in times.items()) or "no boxes"


def _box(given: Any, labels: Sequence[str], image_width: float, image_height: float) -> Value:
    if not isinstance(given, Mapping) or set(given) != {*SIDES, "label"}:
        raise AnswerRefused(sentence("Each box must be an object with “x”, “y”, “width”, “height” and “label”."))
    if any(type(given[side]) not in (int, float) or not math.isfinite(given[side]) for side in SIDES):
        raise AnswerRefused(sentence("The sides of a box are numbers of pixels."))
    x, y, width, height = (float(given[side]) for side in SIDES)
    inside = x >= -SLACK and y >= -SLACK and x + width <= image_width + SLACK and y + height <= image_height + SLACK
    if not inside:
        place = f"from {x:g}, {y:g} to {x + width:g}, {y + height:g}"
        raise AnswerRefused(
            sentence(
                "The box {place} reaches outside the image of {image_width:g} by {image_height:g} pixels.",
                place=place,
                image_width=image_width,
                image_height=image_height,
            )
        )
    left, top = max(x, 0.0), max(y, 0.0)
    right, bottom = min(x + width, image_width), min(y + height, image_height)
    if round(min(right - left, bottom - top), 2) < LEAST_SIDE:
        raise AnswerRefused(sentence("A box is at least one pixel wide and high."))
    sides = zip(SIDES, (left, top, right - left, bottom - top), strict=True)
    return {**{name: round(value, 2) for name, value in sides}, "label": known_label(given["label"], labels)}


def _matched(one: Sequence[Value], other: Sequence[Value]) -> list[tuple[int, int, float]]:
    """Pairs of boxes of the same object and label as (place, place, IoU), one to one, the best overlap first (COCO)."""
    if not one or not other:
        return []
    overlap = _overlaps(_corners(one), _corners(other))
    same = np.array([[a["label"] == b["label"] for b in other] for a in one])
    overlap = np.where(same & (overlap >= SAME_OBJECT), overlap, 0.0)
    found = []
    while (best := float(overlap.max())) > 0:
        i, j = (int(k) for k in np.unravel_index(overlap.argmax(), overlap.shape))
        found.append((i, j, best))
        overlap[i, :] = overlap[:, j] = 0.0
    return found


def _corners(boxes: Sequence[Value]) -> NDArray[np.float64]:
    """(boxes, 4): left, top, right, bottom."""
    return np.array([[b["x"], b["y"], b["x"] + b["width"], b["y"] + b["height"]] for b in boxes], np.float64)


def _overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union, (len(a), len(b))."""
    least = np.minimum(a[:, None, 2:], b[None, :, 2:])
    most = np.maximum(a[:, None, :2], b[None, :, :2])
    shared = np.clip(least - most, 0, None).prod(axis=2)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(axis=1), (b[:, 2:] - b[:, :2]).prod(axis=1)
    return np.asarray(shared / (area_a[:, None] + area_b[None, :] - shared), np.float64)


def _mean(group: Sequence[Value]) -> Value:
    sides = {side: round(sum(float(b[side]) for b in group) / len(group), 2) for side in SIDES}
    return {**sides, "label": group[0]["label"]}

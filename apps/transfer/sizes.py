"""Boxes that a file drew on a picture of another size, or before its EXIF turned it, in the pixels of the picture as it is kept."""

import math
from collections.abc import Mapping
from typing import Any

from apps.projects.task_types import PayloadRefused
from apps.rules.pictures import UPRIGHT
from apps.rules.sentences import sentence

SAID = "said_size"  # beside the boxes of a value: [width, height] of the picture that they were drawn on
SIDES = ("x", "y", "width", "height")
Box = dict[str, Any]


def in_own_pixels(value: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The value without `said_size`. Raises PayloadRefused, naming both sizes, where no scaling or turn explains it.

    A picture that was made smaller for drawing keeps its proportions; one that was drawn on before EXIF turned it has
    width and height the other way round.

    >>> boxes = {"boxes": [{"x": 2, "y": 2, "width": 10, "height": 10, "label": "cat"}], "said_size": [20, 15]}
    >>> in_own_pixels(boxes, {"width": 40, "height": 30})
    {'boxes': [{'x': 4.0, 'y': 4.0, 'width': 20.0, 'height': 20.0, 'label': 'cat'}]}
    """
    rest = {name: given for name, given in value.items() if name != SAID}
    said, boxes = value[SAID], rest.get("boxes")
    if not isinstance(said, list | tuple) or len(said) != 2 or not all(map(_is_side, said)):
        raise PayloadRefused(sentence("The size of the picture that boxes were drawn on is two numbers above zero."))
    own_width, own_height = fields.get("width"), fields.get("height")
    if not own_width or not own_height or not isinstance(boxes, list):
        return rest
    width, height = float(said[0]), float(said[1])
    orientation = int(fields.get("orientation") or UPRIGHT)
    if _same_shape(width, height, own_width, own_height):
        return {**rest, "boxes": [_scaled(box, own_width / width, own_height / height) for box in boxes]}
    if orientation in _TURNED and _same_shape(width, height, own_height, own_width):
        lying = [_scaled(box, own_height / width, own_width / height) for box in boxes]
        return {**rest, "boxes": [_upright(box, orientation, own_width, own_height) for box in lying]}
    raise PayloadRefused(
        sentence(
            "The file says that the picture has {width:g} by {height:g} pixels, but it has {own_width} by {own_height}.",
            width=width,
            height=height,
            own_width=own_width,
            own_height=own_height,
        )
    )


def _same_shape(width: float, height: float, own_width: float, own_height: float) -> bool:
    """Equal, or equal but for a scale and the rounding that came with it."""
    return round(width * own_height / own_width) == round(height) or round(height * own_width / own_height) == round(
        width
    )


def _scaled(box: Any, across: float, down: float) -> Any:
    """What is no box is left to whoever checks boxes."""
    if not _is_box(box) or across == down == 1:
        return box
    return {
        **box,
        "x": box["x"] * across,
        "y": box["y"] * down,
        "width": box["width"] * across,
        "height": box["height"] * down,
    }


_TURNED = frozenset({5, 6, 7, 8})


def _upright(box: Any, orientation: int, own_width: float, own_height: float) -> Any:
    """A box of the lying picture on the upright one of own_width by own_height."""
    if not _is_box(box):
        return box
    x, y, width, height = (box[side] for side in SIDES)
    left = y if orientation in (5, 8) else own_width - y - height
    top = x if orientation in (5, 6) else own_height - x - width
    return {**box, "x": left, "y": top, "width": height, "height": width}


def _is_box(box: Any) -> bool:
    return isinstance(box, Mapping) and all(_is_number(box.get(side)) for side in SIDES)


def _is_side(value: Any) -> bool:
    return _is_number(value) and 0 < value < 1e6


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False

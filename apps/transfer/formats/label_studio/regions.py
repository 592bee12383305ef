"""How Label Studio says each kind of answer: a list of regions that count characters and percent of the image."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from apps.rules.answers import Value
from apps.rules.sentences import sentence
from apps.transfer.sizes import SAID, SIDES

Region = dict[str, Any]
Fields = Mapping[str, Any]


class Strange(ValueError):
    """Something of the task that cannot be kept; the message is the reason."""


@dataclass(frozen=True)
class Regions:
    """`type` and `from_name` are those of the control. `text` is the example's, for those who count its characters."""

    type: str
    from_name: str
    write: Callable[[Value, Fields], list[Region]]
    read: Callable[[Sequence[Region], str], Value]


def _chosen(regions: Sequence[Region]) -> list[str]:
    return [name for region in regions for name in _names(region["value"], "choices")]


def _names(value: Mapping[str, Any], key: str) -> list[str]:
    found = value.get(key)
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise Strange(sentence("A region has no list of names, “{key}”.", key=key))
    return found


def is_number(value: Any) -> TypeGuard[float]:
    """Finite, and no truth value."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _one_choice(regions: Sequence[Region], text: str) -> Value:
    chosen = _chosen(regions)
    if len(chosen) != 1:
        raise Strange(sentence("The task has {length} choices; this project takes exactly one.", length=len(chosen)))
    return {"label": chosen[0]}


def _one_label(names: Sequence[str]) -> str:
    if len(names) != 1:
        raise Strange(sentence("A region has {length} labels; exactly one fits.", length=len(names)))
    return names[0]


def _of_span(span: Mapping[str, Any], text: str) -> Region:
    start, end = span["start"], span["end"]
    return {"value": {"start": start, "end": end, "text": text[start:end], "labels": [span["label"]]}}


def _span(given: Mapping[str, Any], text: str) -> Value:
    """Offsets in code points. Files of old servers counted UTF-16 units: where the text says so, they are turned."""
    start, end, label = _offset(given, "start"), _offset(given, "end"), _one_label(_names(given, "labels"))
    said = given.get("text")
    if not isinstance(said, str) or text[start:end] == said:
        return {"start": start, "end": end, "label": label}
    units = text.encode("utf-16-le")
    first = len(units[: 2 * start].decode("utf-16-le", "ignore"))
    last = first + len(said)
    if text[first:last] == said and units[2 * start : 2 * end].decode("utf-16-le", "ignore") == said:
        return {"start": first, "end": last, "label": label}
    found = text[start:end][:40]
    raise Strange(
        sentence(
            "The span from {start} to {end} should read “{value}”, but the text reads “{found}” there.",
            start=start,
            end=end,
            value=said[:40],
            found=found,
        )
    )


def _offset(given: Mapping[str, Any], name: str) -> int:
    place = given.get(name)
    if not is_number(place) or int(place) != place or not 0 <= place < 2**31:
        raise Strange(
            sentence(
                "The “{name}” of a span is a whole number of characters, not {value}.", name=name, value=str(place)[:40]
            )
        )
    return int(place)


def _rectangle(box: Mapping[str, Any], width: int, height: int) -> Region:
    value = {
        "x": box["x"] / width * 100,
        "y": box["y"] / height * 100,
        "width": box["width"] / width * 100,
        "height": box["height"] / height * 100,
        "rotation": 0,
        "rectanglelabels": [box["label"]],
    }
    return {"original_width": width, "original_height": height, "image_rotation": 0, "value": value}


def _boxes(regions: Sequence[Region]) -> Value:
    """In pixels of the picture that they were drawn on, and its size beside them, which may not be that of the bytes."""
    sizes = {(region.get("original_width"), region.get("original_height")) for region in regions if _says_size(region)}
    if len(sizes) > 1:
        raise Strange(sentence("The boxes of the task were drawn on pictures of several sizes."))
    boxes = [_box(region) for region in regions]
    return {"boxes": boxes, **({SAID: list(next(iter(sizes)))} if sizes else {})}


def _says_size(region: Region) -> bool:
    """Raises Strange where a region does not say the size of its picture."""
    if not all(is_number(region.get(side)) and region[side] > 0 for side in ("original_width", "original_height")):
        raise Strange(sentence("A box lacks “original_width” and “original_height”, so its percents say no pixels."))
    return True


def _box(item: Region) -> Value:
    given = item["value"]
    if _turned(given.get("rotation")):
        raise Strange(sentence("A box is rotated; only upright boxes fit."))
    if _turned(item.get("image_rotation")):
        raise Strange(
            sentence(
                "A box was drawn on a picture that was rotated in the tool. Turn the picture back there, or here first."
            )
        )
    if not all(is_number(given.get(side)) for side in SIDES):
        raise Strange(sentence("A box lacks “x”, “y”, “width” or “height”, or one is no number."))
    width, height = item["original_width"], item["original_height"]
    return {
        "x": given["x"] * width / 100,
        "y": given["y"] * height / 100,
        "width": given["width"] * width / 100,
        "height": given["height"] * height / 100,
        "label": _one_label(_names(given, "rectanglelabels")),
    }


def _turned(degrees: Any) -> bool:
    return degrees is not None and not (is_number(degrees) and degrees % 360 == 0)


REGIONS = {
    "choice": Regions("choices", "label", lambda v, fields: [{"value": {"choices": [v["label"]]}}], _one_choice),
    "choices": Regions(
        "choices",
        "labels",
        lambda v, fields: [{"value": {"choices": v["labels"]}}],
        lambda regions, text: {"labels": _chosen(regions)},
    ),
    "spans": Regions(
        "labels",
        "spans",
        lambda v, fields: [_of_span(span, str(fields.get("text", ""))) for span in v["spans"]],
        lambda regions, text: {"spans": [_span(region["value"], text) for region in regions]},
    ),
    "boxes": Regions(
        "rectanglelabels",
        "boxes",
        lambda v, fields: [_rectangle(box, fields["width"], fields["height"]) for box in v["boxes"]],
        lambda regions, text: _boxes(regions),
    ),
}

"""What a model reads and answers, told from the header of its file: names, types, what was seen in training, a request."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

MOST_HEADER = 100_000_000  # bytes; the format's own bound
MOST_VALUES = 50  # of a category that are told
# 8 x 8 grey pixels: a request that can be sent as it stands.
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAKklEQVR42mPQsAlIqehZsIUBSmswQGkbBigdwAClUxigdAUDlO5h"
    "gNILAN51G4Gkg028AAAAAElFTkSuQmCC"
)
SAMPLES = {"image": PICTURE, "text": "The text to label."}
Tensor = dict[str, Any]


class HeaderUnreadable(ValueError):
    """The file is no model of ours; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class InputColumn:
    """One input of a request. `kind` is number, category, any (numbers and words), text or image."""

    name: str
    kind: str
    datatype: str
    low: float | None = None  # least and largest seen in training; None where an older model did not write it down
    high: float | None = None
    typical: float | None = None  # the mean
    values: tuple[str, ...] = ()  # the first of those seen at least twice
    values_total: int = 0
    side: int = 0  # pixels that an image is fitted into


@dataclass(frozen=True, slots=True)
class Signature:
    inputs: tuple[InputColumn, ...]
    labels: tuple[str, ...]
    encoder: str = ""  # whose vectors the model reads, where it reads vectors
    header: Mapping[str, Any] = field(default_factory=dict)

    @property
    def example(self) -> dict[str, Any]:
        """A request in the words of the Open Inference Protocol v2, which the model answers."""
        return {"inputs": [_tensor(each.name, each.datatype, _sample(each)) for each in self.inputs]}

    @property
    def metadata_inputs(self) -> list[Tensor]:
        """As the protocol's metadata names them; -1 is any number of rows."""
        return [{"name": each.name, "datatype": each.datatype, "shape": [-1]} for each in self.inputs]

    @property
    def metadata_outputs(self) -> list[Tensor]:
        return [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "confidence", "datatype": "FP64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, len(self.labels)]},
        ]


def header_of(file: BinaryIO) -> dict[str, Any]:
    """Our part of a model file's header, without its tensors. Raises HeaderUnreadable."""
    try:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MOST_HEADER:
            raise ValueError
        header = json.loads(file.read(length))
        about: dict[str, Any] = json.loads(header["__metadata__"]["fastloop"])
    except (ValueError, KeyError, TypeError, struct.error):
        raise HeaderUnreadable("The model’s file is damaged: its header cannot be read.") from None
    return about


def signature_of(about: Mapping[str, Any]) -> Signature:
    """From what `header_of` reads. Raises HeaderUnreadable for a header that lacks what every model writes."""
    try:
        read, recipe = about["preprocessor"], about["recipe"]
        encoder = str(recipe.get("encoder") or "")
        return Signature(_inputs(read), tuple(map(str, about["labels"])), encoder, about)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise HeaderUnreadable("The model’s file does not say what it reads.") from None


def _inputs(read: Mapping[str, Any]) -> tuple[InputColumn, ...]:
    """By what the preprocessor wrote of itself; nothing for one that is not known here."""
    if "numbers" in read:
        ranges = {name: (low, high) for name, low, high in read.get("ranges", ())}
        numbers = [_number(name, mean, *ranges.get(name, (None, None))) for name, mean, _ in read["numbers"]]
        return (*numbers, *(_category(name, values) for name, values in read["categories"]))
    if "columns" in read:
        return tuple(InputColumn(str(name), "any", "BYTES") for name, _ in read["columns"])
    if "side" in read:
        return (InputColumn("image", "image", "BYTES", side=int(read["side"])),)
    return (InputColumn("text", "text", "BYTES"),) if "dim" in read else ()


def _number(name: str, mean: float, low: float | None, high: float | None) -> InputColumn:
    return InputColumn(str(name), "number", "FP64", low, high, float(mean))


def _category(name: str, values: list[str]) -> InputColumn:
    return InputColumn(str(name), "category", "BYTES", values=tuple(values[:MOST_VALUES]), values_total=len(values))


def _sample(column: InputColumn) -> Any:
    if column.typical is not None:
        return float(f"{column.typical:.3g}")
    return column.values[0] if column.values else SAMPLES.get(column.kind, "a value")


def _tensor(name: str, datatype: str, value: Any) -> Tensor:
    return {"name": name, "datatype": datatype, "shape": [1], "data": [value]}

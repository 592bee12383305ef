"""From payloads to tensors, one class a payload kind, and the network that fits each.

A row that cannot be read becomes NaN: training refuses it by number, scoring gives it a probability of NaN, and the
rest of the batch goes on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from apps.rules.pictures import PictureRefused, decoded, eight_bit, header
from workers.training.models.networks import Network, SmallCnn, TabularNet, TextHead
from workers.training.models.words import TextRows, packed
from workers.training.recipes import Recipe

Rows = Sequence[Any] | NDArray[Any]  # texts as `TextRows`
Cell = float | int | str | None

SIDES = (8, 64)
LEAST_SEEN = 2  # a category value seen once teaches "unknown" instead of a bucket of its own
MOST_VALUES = 1000  # buckets a column; a free-text column must not grow the model without end
MOST_DEVIATIONS = 8.0  # where outliers of a numeric column are cut


class Input(Protocol):
    """What was learned from the training rows of one payload kind; immutable, and JSON both ways."""

    @classmethod
    def fit(cls, rows: Rows) -> Self: ...

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self: ...

    def to_json(self) -> dict[str, Any]: ...

    def tensor(self, rows: Rows) -> Tensor:
        """One float32 tensor, rows first."""
        ...

    def network(self, recipe: Recipe, classes: int) -> Network: ...


@dataclass(frozen=True, slots=True)
class TextInput:
    """Rows are sentence embeddings, an array (n, dim); where the model reads `words` too, with their texts as `TextRows`.

    Such a model answers to vectors without texts as well, by the network alone.
    """

    dim: int
    words: bool = False

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        return cls(dim=int(np.shape(rows)[1]))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        return cls(dim=int(fields["dim"]), words=bool(fields.get("words", False)))

    def to_json(self) -> dict[str, Any]:
        return {"dim": self.dim} | ({"words": True} if self.words else {})

    def tensor(self, rows: Rows) -> Tensor:
        array = np.ascontiguousarray(rows, dtype=np.float32).reshape(len(rows), -1)
        if len(array) and array.shape[1] != self.dim:
            raise ValueError(f"Embeddings have {array.shape[1]} numbers; this model was trained on {self.dim}.")
        if self.words and isinstance(rows, TextRows):
            array = np.concatenate([array, packed(rows.texts)], axis=1)
        return torch.from_numpy(array.copy() if not array.flags.writeable else array)

    def network(self, recipe: Recipe, classes: int) -> Network:
        return TextHead(self.dim, recipe.hidden, recipe.dropout, classes)


@dataclass(frozen=True, slots=True)
class ImageInput:
    """Rows are encoded images, turned upright and fitted into a square with their proportions kept."""

    side: int
    channels: int

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        """The most frequent longer side, between 8 and 64; one channel when every image is grey."""
        seen = [found for found in map(_looked_at, rows) if found]
        side = Counter(longer for longer, _ in seen).most_common(1)[0][0] if seen else SIDES[0]
        return cls(side=min(max(side, SIDES[0]), SIDES[1]), channels=1 if all(grey for _, grey in seen) else 3)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        return cls(side=int(fields["side"]), channels=int(fields["channels"]))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def tensor(self, rows: Rows) -> Tensor:
        """n encoded images -> (n, channels, side, side) in [0, 1]."""
        out = np.full((len(rows), self.channels, self.side, self.side), np.nan, dtype=np.float32)
        for place, encoded in enumerate(rows):
            self._decode(encoded, out[place])
        return torch.from_numpy(out)

    def _decode(self, encoded: bytes, out: NDArray[np.float32]) -> None:
        try:
            whole = decoded(encoded, about=4 * self.side).pixels
            picture = eight_bit(whole).convert("L" if self.channels == 1 else "RGB")
        except (PictureRefused, ValueError, TypeError):
            return
        if picture.size != (self.side, self.side):
            picture = ImageOps.pad(picture, (self.side, self.side), Image.Resampling.BILINEAR)
        pixels = np.asarray(picture, dtype=np.float32).reshape(self.side, self.side, self.channels)
        out[:] = pixels.transpose(2, 0, 1) / 255

    def network(self, recipe: Recipe, classes: int) -> Network:
        return SmallCnn(self.channels, self.side, recipe.hidden, recipe.dropout, classes)


@dataclass(frozen=True, slots=True)
class TabularInput:
    """Rows are dicts. A column is numeric when every value of it that is not missing parses as a number, and none is a code."""

    numbers: tuple[tuple[str, float, float], ...]  # name, mean, deviation
    categories: tuple[tuple[str, tuple[str, ...]], ...]  # name, values; value i has index i + 1, 0 is unknown
    ranges: tuple[
        tuple[str, float, float], ...
    ] = ()  # name, least, largest; told, not computed with. Older ones have none

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        names = list(dict.fromkeys(name for row in rows for name in row))
        numbers, categories, ranges = [], [], []
        for name in names:
            cells = [row.get(name) for row in rows]
            if all(_missing(cell) or (_number(cell) is not None and not _code(cell)) for cell in cells):
                numbers.append(_scale(name, cells))
                ranges += _range(name, cells)
            else:
                categories.append(_values(name, cells))
        return cls(tuple(numbers), tuple(categories), tuple(ranges))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            tuple((str(name), float(mean), float(deviation)) for name, mean, deviation in fields["numbers"]),
            tuple((str(name), tuple(map(str, values))) for name, values in fields["categories"]),
            tuple((str(name), float(low), float(high)) for name, low, high in fields.get("ranges", ())),
        )

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {
            "numbers": [list(column) for column in self.numbers],
            "categories": [[name, list(values)] for name, values in self.categories],
        }
        return written | ({"ranges": [list(column) for column in self.ranges]} if self.ranges else {})

    @property
    def numeric(self) -> frozenset[str]:
        return frozenset(name for name, _, _ in self.numbers)

    @property
    def names(self) -> tuple[str, ...]:
        return (*(name for name, _, _ in self.numbers), *(name for name, _ in self.categories))

    def tensor(self, rows: Rows) -> Tensor:
        """n dicts -> (n, standardised numbers + missing marks + category indices); a missing number is the mean."""
        columns: list[NDArray[np.float32]] = []
        marks: list[NDArray[np.float32]] = []
        for name, mean, deviation in self.numbers:
            found = [_number(row.get(name)) for row in rows]
            values = np.array([np.nan if cell is None else cell for cell in found], dtype=np.float64)
            scaled = np.clip((values - mean) / deviation, -MOST_DEVIATIONS, MOST_DEVIATIONS)
            columns.append(np.nan_to_num(scaled, nan=0.0).astype(np.float32))
            marks.append(np.isnan(values).astype(np.float32))
        for name, known in self.categories:
            index = {value: place for place, value in enumerate(known, start=1)}
            marks.append(np.array([index.get(_word(row.get(name)), 0) for row in rows], dtype=np.float32))
        stacked = np.stack(columns + marks, axis=1) if columns or marks else np.zeros((len(rows), 0), np.float32)
        return torch.from_numpy(stacked)

    def network(self, recipe: Recipe, classes: int) -> Network:
        sizes = tuple(len(values) + 1 for _, values in self.categories)
        return TabularNet(2 * len(self.numbers), sizes, recipe.hidden, recipe.dropout, classes)


def _looked_at(encoded: bytes) -> tuple[int, bool] | None:
    """(longer side, grey) from the header alone, or None when it cannot be read."""
    try:
        width, height, grey = header(encoded)
    except PictureRefused:
        return None
    return max(width, height), grey


def _missing(cell: Cell) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and not isfinite(cell))


def _number(cell: Cell) -> float | None:
    """The cell as a finite number, or None."""
    try:
        value = float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):  # a whole number of 400 digits is none that a network reads
        return None
    return value if isfinite(value) else None


def _code(cell: Cell) -> bool:
    """Whether it is digits that nobody writes of an amount: a zip code, an article number.

    >>> _code("02134"), _code("007"), _code("0"), _code("0.5"), _code(7), _code("-03")
    (True, True, False, False, False, False)
    """
    return isinstance(cell, str) and len(cell) > 1 and cell[0] == "0" and cell.isascii() and cell.isdigit()


def _word(cell: Cell) -> str:
    """How a category value is compared; the number 3 and the text "3" are the same value, a missing one is empty."""
    return "" if _missing(cell) else str(cell)


def _scale(name: str, cells: list[Cell]) -> tuple[str, float, float]:
    values = np.array([value for value in map(_number, cells) if value is not None], dtype=np.float64)
    if len(values) == 0:
        return name, 0.0, 1.0
    return name, float(values.mean()), float(values.std()) or 1.0


def _range(name: str, cells: list[Cell]) -> list[tuple[str, float, float]]:
    """Empty where no cell has a value."""
    values = [value for value in map(_number, cells) if value is not None]
    return [(name, min(values), max(values))] if values else []


def _values(name: str, cells: list[Cell]) -> tuple[str, tuple[str, ...]]:
    seen = Counter(_word(cell) for cell in cells if not _missing(cell))
    kept = [value for value, times in seen.most_common(MOST_VALUES) if times >= LEAST_SEEN]
    return name, tuple(sorted(kept))

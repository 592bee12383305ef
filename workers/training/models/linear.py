"""Linear models as bundles: what the online learner knows, in the shape in which every other model is served.

Vowpal Wabbit's one-against-all has one logistic regression a class and makes probabilities of them by dividing each by
their sum. The softmax of logarithms is that same division, so these networks give the logarithm of each sigmoid.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Protocol, Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from workers.training.models.hashing import features, key, stride
from workers.training.models.inputs import ImageInput, Input, Rows, TextInput
from workers.training.models.networks import Network
from workers.training.recipes import Recipe

CONSTANT = 0  # the index of the feature that every row has
MOST_BITS = 18  # of a hash: a quarter million features; the packed tensor holds indices below 2**24 exactly
ALL_BITS = 22  # of hashed features times classes: 64 MB while it learns
VOTERS_DROP = 0.2  # of the features, when an ensemble votes; see score.Voters


class Linear(Input, Protocol):
    """An input whose rows can also be written as features with numbers, the way the online learner reads them."""

    saved_kind: ClassVar[str]  # what its JSON calls it

    @classmethod
    def begun(cls, rows: Rows, classes: int) -> Self:
        """How rows are read from these first ones on."""
        ...

    @property
    def indices(self) -> int:
        """One more than the largest index of a feature."""
        ...

    def widened(self, rows: Rows) -> Self:
        """The same with what these rows have that no row had before."""
        ...

    def lines(self, rows: Rows) -> Iterable[str]:
        """Each row as " index:value index:value"; empty where the row cannot be read."""
        ...

    def bundled(
        self, weights: Mapping[int, NDArray[np.float32]], classes: int, recipe: Recipe
    ) -> tuple[Input, Network]:
        """The input and the network with these weights (classes,) a feature."""
        ...


class LinearNet(Network):
    """Rows of numbers (n, ...) -> logarithms of sigmoids (n, classes)."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return F.logsigmoid(self.head(x.flatten(1)))


class SparseLinear(nn.Linear):
    """A linear layer that is given places and values instead of a row full of zeros."""

    def forward(self, places: Tensor, values: Tensor | None = None) -> Tensor:
        assert values is not None
        chosen = F.embedding(places, self.weight.T)  # (n, width, classes)
        return (chosen * values[:, :, None]).sum(dim=1) + self.bias


class HashedNet(Network):
    """Packed rows (n, 2, width), indices then values -> (n, classes). An index without a weight counts as nothing."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("known", torch.arange(features))  # ascending hash indices, one a column of the head
        self.dropout = nn.Dropout(VOTERS_DROP)
        self.head = SparseLinear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        known: Tensor = self.get_buffer("known")
        indices = x[:, 0].long()
        places = torch.searchsorted(known, indices).clamp(max=len(known) - 1)
        values = self.dropout(x[:, 1]) * (known[places] == indices)
        return F.logsigmoid(self.head(places, values))


class _Dense:
    """Rows that are the same many numbers each; number i has index i + 1."""

    def tensor(self, rows: Rows) -> Tensor:
        raise NotImplementedError

    @property
    def indices(self) -> int:
        raise NotImplementedError

    def widened(self, rows: Rows) -> Self:
        return self

    def lines(self, rows: Rows) -> Iterable[str]:
        for row in self.tensor(rows).flatten(1).numpy():
            if not np.isfinite(row).all():
                yield ""
                continue
            (filled,) = np.nonzero(row)
            pairs = zip((filled + 1).tolist(), row[filled].tolist(), strict=True)
            yield "".join([" %d:%.7g" % pair for pair in pairs])  # noqa: UP031  twice as fast as an f-string here

    def network(self, recipe: Recipe, classes: int) -> Network:
        return LinearNet(self.indices - 1, classes)

    def bundled(
        self, weights: Mapping[int, NDArray[np.float32]], classes: int, recipe: Recipe
    ) -> tuple[Input, Network]:
        network = self.network(recipe, classes)
        zero = np.zeros(classes, np.float32)
        columns = [weights.get(index, zero) for index in range(1, self.indices)]
        _fill(network, columns, weights.get(CONSTANT, zero))
        return cast(Input, self), network  # the classes below are whole inputs


@dataclass(frozen=True, slots=True)
class LinearText(_Dense, TextInput):
    """Sentence vectors."""

    saved_kind: ClassVar[str] = "linear-text"

    @classmethod
    def begun(cls, rows: Rows, classes: int) -> Self:
        return cls.fit(rows)

    @property
    def indices(self) -> int:
        return self.dim + 1

    def tensor(self, rows: Rows) -> Tensor:
        return TextInput.tensor(self, rows)

    def network(self, recipe: Recipe, classes: int) -> Network:
        return _Dense.network(self, recipe, classes)

    def to_json(self) -> dict[str, Any]:
        return {**TextInput.to_json(self), "kind": self.saved_kind}


@dataclass(frozen=True, slots=True)
class LinearImage(_Dense, ImageInput):
    """Pixels between 0 and 1; an empty one costs nothing."""

    saved_kind: ClassVar[str] = "linear-image"

    @classmethod
    def begun(cls, rows: Rows, classes: int) -> Self:
        return cls.fit(rows)

    @property
    def indices(self) -> int:
        return self.channels * self.side**2 + 1

    def tensor(self, rows: Rows) -> Tensor:
        return ImageInput.tensor(self, rows)

    def network(self, recipe: Recipe, classes: int) -> Network:
        return _Dense.network(self, recipe, classes)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.saved_kind}


@dataclass(frozen=True, slots=True)
class HashedInput:
    """Rows of a table as hashed features: nothing about a column has to be known before its first value is seen.

    A number is its value and, beside it, a bucket of its own, exact for whole numbers and two digits wide for others;
    so a number that is a name (a user) and one whose effect is no straight line are both learned. `columns` holds how
    many features each column has had at most, which fixes the width of the packed tensor.
    """

    saved_kind: ClassVar[str] = "hashed"

    bits: int = MOST_BITS
    columns: tuple[tuple[str, int], ...] = ()
    features: int = 1  # with a weight; known once a bundle is made

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        return cls().widened(rows)

    @classmethod
    def begun(cls, rows: Rows, classes: int) -> Self:
        """The more classes, the fewer bits are left for features."""
        spare = ALL_BITS - (stride(classes) - 1).bit_length()
        return cls(bits=max(min(MOST_BITS, spare), 8)).widened(rows)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        columns = tuple((str(name), int(slots)) for name, slots in fields["columns"])
        return cls(int(fields["bits"]), columns, int(fields["features"]))

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "columns": [list(column) for column in self.columns], "kind": self.saved_kind}

    @property
    def indices(self) -> int:
        return 1 << self.bits

    @property
    def numeric(self) -> frozenset[str]:
        return frozenset()  # any column may hold words beside numbers

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)

    def widened(self, rows: Rows) -> Self:
        slots = dict(self.columns)
        for name in dict.fromkeys(name for row in rows for name in row):
            cells = {key(row.get(name)) for row in rows}
            slots[name] = max(slots.get(name, 1), *(len(features(name, cell, self.bits)) for cell in cells))
        return replace(self, columns=tuple(slots.items()))

    def lines(self, rows: Rows) -> Iterable[str]:
        return map("".join, zip(*(self._written(name, rows) for name, _ in self.columns), strict=True))

    def _written(self, name: str, rows: Rows) -> Iterable[str]:
        """One column. Each different cell is hashed and written once, however many rows have it."""
        cells = [key(row.get(name)) for row in rows]
        written = {
            cell: "".join([f" {index}:{value:.7g}" for index, value in features(name, cell, self.bits)])
            for cell in dict.fromkeys(cells)
        }
        return map(written.__getitem__, cells)

    def tensor(self, rows: Rows) -> Tensor:
        """n dicts -> (n, 2, width); what is not used has the value 0."""
        parts = [self._packed(name, slots, rows) for name, slots in self.columns]
        if not parts:
            return torch.zeros(len(rows), 2, 1)
        return torch.from_numpy(np.concatenate(parts, axis=2))

    def _packed(self, name: str, slots: int, rows: Rows) -> NDArray[np.float32]:
        cells = [key(row.get(name)) for row in rows]
        places = {cell: place for place, cell in enumerate(dict.fromkeys(cells))}
        table = np.zeros((max(len(places), 1), 2, slots), np.float32)
        for cell, place in places.items():
            found = features(name, cell, self.bits)[:slots]
            table[place, :, : len(found)] = np.array(found, np.float32).T
        return table[np.array([places[cell] for cell in cells], np.int64)]

    def network(self, recipe: Recipe, classes: int) -> Network:
        return HashedNet(self.features, classes)

    def bundled(
        self, weights: Mapping[int, NDArray[np.float32]], classes: int, recipe: Recipe
    ) -> tuple[Input, Network]:
        known = sorted(index for index in weights if index != CONSTANT) or [1]
        fitting = replace(self, features=len(known))
        network = fitting.network(recipe, classes)
        network.get_buffer("known").copy_(torch.tensor(known))
        zero = np.zeros(classes, np.float32)
        _fill(network, [weights.get(index, zero) for index in known], weights.get(CONSTANT, zero))
        return fitting, network


def _fill(network: Network, columns: list[NDArray[np.float32]], constant: NDArray[np.float32]) -> None:
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(np.stack(columns, axis=1)))
        network.head.bias.copy_(torch.from_numpy(constant))

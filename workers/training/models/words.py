"""What the letters of a text say beside its vector: hashed words, pairs of words and pieces of words, and their regression.

A vector knows what a text is about; a name, a code or a misspelling that its encoder never met stands in the letters alone.
"""

import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

WORD = re.compile(r"\w+|[^\w\s]")
BITS = 18  # of a hash; the packed tensor holds indices below 2**24 exactly
PIECES = (3, 4, 5)  # letters of a piece, a blank on both sides of the word counted
MOST_LETTERS, MOST_GRAMS = 2_000, 1_024  # of a text that are read; what comes after is cut
NOTHING = 0  # in a padded row
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


class TextRows(Sequence[Any]):
    """Sentence vectors (n, dim) with the texts that they stand for. As an array it is the vectors alone.

    `texts` is asked once they are needed: what reads vectors alone fetches no text.
    """

    def __init__(self, vectors: NDArray[Any], texts: Sequence[str] | Callable[[], Sequence[str]]) -> None:
        self.vectors, self._texts = vectors, texts

    @property
    def texts(self) -> Sequence[str]:
        if callable(self._texts):
            self._texts = self._texts()
        return self._texts

    def __len__(self) -> int:
        return len(self.vectors)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.vectors, dtype=dtype)

    @overload
    def __getitem__(self, which: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, which: slice) -> "TextRows": ...
    @overload
    def __getitem__(self, which: NDArray[Any]) -> "TextRows": ...
    def __getitem__(self, which: Any) -> Any:
        """Some of the rows; of one of them the vector."""
        if isinstance(which, int | np.integer):
            return self.vectors[which]
        places = np.arange(len(self))[which]
        return TextRows(self.vectors[which], lambda: [self.texts[int(place)] for place in places])

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter(self.vectors)


def grams(text: str) -> list[int]:
    """Indices 1 to 2**BITS - 1 of what stands in a text, each once, ascending.

    >>> grams("") , len(grams("at")), len(grams("at at"))
    ([], 3, 4)
    >>> grams("Lost card") == grams("lost  CARD")
    True
    """
    words = WORD.findall(text[:MOST_LETTERS].casefold())
    found = {f"={word}" for word in words} | {f"{one} {two}" for one, two in pairwise(words)}
    for word in set(words):
        padded = f" {word} "
        found.update(padded[i : i + long] for long in PIECES for i in range(len(padded) - long + 1))
    most = (1 << BITS) - 1
    return sorted({1 + zlib.crc32(gram.encode("utf-8", "replace")) % most for gram in found})[:MOST_GRAMS]


def packed(texts: Sequence[str]) -> Floats:
    """(n, longest) float32: the indices of each text, then NOTHING."""
    found = [grams(text) for text in texts]
    out = np.full((len(found), max([1, *map(len, found)])), NOTHING, np.float32)
    for row, indices in zip(out, found, strict=True):
        row[: len(indices)] = indices
    return out


class WordRegression(nn.Module):
    """Padded indices (n, width) -> what is added to the logits (n, classes).

    A row is its indices that were seen in training, each weighed by how rare it is, made a vector of length 1 (TF-IDF of what is
    there or is not). `share` is how much of it is added, `scale` what the sum is multiplied with, so that the temperature
    of the network fits the sum too.
    """

    known: Tensor  # ascending indices (features,)
    rarity: Tensor
    weight: Tensor  # (features, classes), float16: half a model file
    bias: Tensor
    share: Tensor
    scale: Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("known", torch.arange(features))
        self.register_buffer("rarity", torch.ones(features))
        self.register_buffer("weight", torch.zeros(features, classes, dtype=torch.float16))
        self.register_buffer("bias", torch.zeros(classes))
        self.register_buffer("share", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))
        self._whole = torch.empty(0)

    @classmethod
    def shaped(cls, state: Mapping[str, Tensor], prefix: str) -> "WordRegression":
        """Room for what a saved state holds."""
        return cls(*state[f"{prefix}weight"].shape)

    def forward(self, indices: Tensor) -> Tensor:
        indices = indices.long()
        places = torch.searchsorted(self.known, indices).clamp(max=len(self.known) - 1)
        values = self.rarity[places] * (self.known[places] == indices)
        values = values / values.square().sum(dim=1, keepdim=True).sqrt().clamp_min(1e-9)
        summed: Tensor = F.embedding_bag(places, self._weights(), mode="sum", per_sample_weights=values)
        return summed + self.bias

    def blended(self, network: Tensor, indices: Tensor) -> Tensor:
        """Logits (n, classes) of the network, and indices -> logits (n, classes)."""
        found: Tensor = (network + self.share * self(indices)) * self.scale
        return found

    def _weights(self) -> Tensor:
        if self._whole.shape != self.weight.shape or self._whole.device != self.weight.device:
            self._whole = self.weight.float()
        return self._whole

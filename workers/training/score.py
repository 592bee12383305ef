"""Probabilities for a stream of rows too long for memory."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from workers.training.inputs import Rows
from workers.training.model import Bundle, predict

Ids = Sequence[int] | NDArray[np.int64]


def score(bundle: Bundle, batches: Iterable[tuple[Ids, Rows]]) -> Iterator[tuple[Ids, NDArray[np.float32]]]:
    """Batch by batch, ids with their probabilities (n, classes), in the order given."""
    for ids, rows in batches:
        yield ids, predict(bundle, rows, batch_size=8192)

"""Distances between many vectors, a bounded number of rows at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
SAME = 1e-6  # squared distances below it are rounding in float32: the same place
ROWS = 4096  # of the longer side in one product: 2,000 x 4,096 float32 are 33 MB


def usable(vectors: Floats) -> tuple[Floats, Bools]:
    """The vectors with rows of NaN or infinity as zeros, and which rows (m,) have a direction at all."""
    finite = np.asarray(np.isfinite(vectors).all(axis=1))
    if not finite.all():
        vectors = np.where(finite[:, None], vectors, 0)
    return vectors, np.asarray(vectors.any(axis=1))


def squared_lengths(vectors: Floats) -> Floats:
    """(m, dim) -> (m,)."""
    return np.asarray(np.einsum("md,md->m", vectors, vectors))


def nearest_of(vectors: Floats, others: Floats) -> Floats:
    """Squared distance of each row to the nearest of the others: (m, dim), (l, dim) -> (m,), infinite without others."""
    found = np.full(len(vectors), np.inf, vectors.dtype)
    lengths = squared_lengths(vectors)
    for rows in slices(len(others)):
        part = others[rows]
        np.minimum(found, (squared_lengths(part) - 2 * (vectors @ part.T)).min(axis=1) + lengths, out=found)
    found[found < SAME] = 0
    return found


def slices(rows: int, at_once: int = ROWS) -> Iterator[slice]:
    """The stretches that cover `rows` places in order."""
    for start in range(0, rows, at_once):
        yield slice(start, min(start + at_once, rows))

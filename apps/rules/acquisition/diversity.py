"""Choose examples that differ: from each other, and from what is labeled."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Places = NDArray[np.intp]


def farthest_first(vectors: Floats, wanted: int, *, first: int = 0) -> Places:
    """Greedy k-center (Gonzalez 1985): each next row is the one farthest from all chosen. (m, dim) -> (wanted,).

    `first` is the place of the row to begin with. Equal distances go to the lower place.
    """
    wanted = min(wanted, len(vectors))
    chosen = np.empty(wanted, np.intp)
    nearest = np.full(len(vectors), np.inf)
    place = first
    for i in range(wanted):
        chosen[i] = place
        gap = vectors - vectors[place]
        nearest = np.minimum(nearest, np.einsum("md,md->m", gap, gap))
        nearest[place] = -1
        place = int(nearest.argmax())
    return chosen

"""BADGE's gradients without building them: each is an outer product, so lengths and products factorise."""

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.clusters import draw
from apps.rules.acquisition.geometry import SAME, squared_lengths, usable

Floats = NDArray[np.floating]
Places = NDArray[np.intp]


def pulls(probabilities: Floats) -> Floats:
    """p - onehot(argmax p), what a guess taken for the truth would change in the logits: (m, classes) -> same."""
    pull = np.nan_to_num(probabilities, nan=0.0, posinf=0.0, neginf=0.0)
    pull[np.arange(len(pull)), pull.argmax(axis=1)] -= 1
    return pull


def gradient_gaps(pull: Floats, vectors: Floats, place: int) -> Floats:
    """Squared distance of each gradient pull_i x vector_i to that of one place: (m,), in memory of m.

    <a x v, b x w> = <a, b> <v, w>: (m, classes) and (m, dim) suffice, never (m, classes, dim).
    """
    lengths = squared_lengths(pull) * squared_lengths(vectors)
    gaps = lengths + lengths[place] - 2 * (pull @ pull[place]) * (vectors @ vectors[place])
    gaps[gaps < SAME] = 0
    return np.asarray(gaps)


def spread_of_gradients(probabilities: Floats, vectors: Floats, wanted: int, seed: int) -> Places:
    """k-means++ over gradients, the longest first: each next one by chance, proportional to the squared distance.

    Examples without a usable probability or vector, and those that repeat a chosen gradient, come last.
    """
    vectors, there = usable(vectors)
    there = there & np.isfinite(probabilities).all(axis=1)
    pull = pulls(probabilities)
    rng = np.random.default_rng(seed)
    nearest = np.where(there, squared_lengths(pull) * squared_lengths(vectors), 0)
    chosen: list[int] = []
    place: int | None = int(nearest.argmax()) if nearest.any() else None
    while place is not None and len(chosen) < wanted:
        gaps = gradient_gaps(pull, vectors, place)
        nearest = np.where(there, gaps if not chosen else np.minimum(nearest, gaps), 0)
        nearest[place] = 0
        chosen.append(place)
        place = draw(nearest, rng)
    left = np.ones(len(vectors), bool)
    left[chosen] = False
    rest = np.flatnonzero(left)
    return np.concatenate([np.asarray(chosen, np.intp), rest[np.argsort(~there[rest], kind="stable")]])[:wanted]

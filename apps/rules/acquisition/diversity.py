"""Choose examples that differ: from each other, and from what is labeled."""

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.geometry import SAME, nearest_of, squared_lengths, usable

Floats = NDArray[np.floating]
Places = NDArray[np.intp]
BLOCK = 256  # places compared at once: a table of 256 x 256 costs less than the row of distances that each saves


def farthest_first(vectors: Floats, wanted: int, *, first: int = 0, among: Floats | None = None) -> Places:
    """Greedy k-center (Gonzalez 1985): each next row is the one farthest from all chosen. (m, dim) -> (wanted,).

    `first` is the place of the row to begin with; with `among` (l, dim), rows that count as chosen already, the row
    farthest from all of those begins instead. Equal distances go to the lower place, rows of zeros or NaN come last.

    The same places as the textbook's loop, without its one product a step: as long as the farthest row lies within a
    block whose rows were all farther than anything outside, the block's own table of distances decides.
    """
    vectors, there = usable(vectors)
    wanted = min(wanted, len(vectors))
    lengths = squared_lengths(vectors)
    chosen: list[int] = []
    if among is not None and len(among):
        nearest = nearest_of(vectors, usable(among)[0])
    else:
        nearest = np.full(len(vectors), np.inf, np.float32)
        chosen = [first] if wanted and there.any() and there[first] else []
        _move_closer(nearest, vectors, lengths, chosen)
    nearest[~there] = -1
    nearest[chosen] = -1
    while len(chosen) < wanted and nearest.max() > 0:
        picked = _within_block(nearest, vectors, lengths, wanted - len(chosen))
        _move_closer(nearest, vectors, lengths, picked)
        chosen += picked
        nearest[picked] = -1
    rest = np.flatnonzero(nearest == 0)[: wanted - len(chosen)]  # all of them lie on a chosen row
    last = np.flatnonzero(~there)[: wanted - len(chosen) - len(rest)]
    return np.concatenate([np.asarray(chosen, np.intp), rest, last])


def _within_block(nearest: Floats, vectors: Floats, lengths: Floats, most: int) -> list[int]:
    """The next places that the loop would choose, as far as the BLOCK farthest rows can tell; at least one."""
    block, outside, outside_place = _farthest(nearest)
    table = _distances(vectors[block], lengths[block], vectors[block], lengths[block])
    here = nearest[block]
    picked: list[int] = []
    while len(picked) < most:
        most_distant = here.max()
        at = block[here == most_distant].min()
        if most_distant <= 0 or (most_distant, -at) < (outside, -outside_place):
            break
        picked.append(int(at))
        row = int(np.flatnonzero(block == at)[0])
        np.minimum(here, table[row], out=here)
        here[row] = -1
    return picked


def _farthest(nearest: Floats) -> tuple[Places, float, int]:
    """The BLOCK farthest places, then the distance and the place of the first one outside."""
    if len(nearest) <= BLOCK:
        return np.arange(len(nearest)), -np.inf, len(nearest)
    threshold = np.partition(nearest, len(nearest) - BLOCK)[len(nearest) - BLOCK]
    above = np.flatnonzero(nearest > threshold)
    level = np.flatnonzero(nearest == threshold)
    block = np.concatenate([above, level[: BLOCK - len(above)]])
    if len(level) > BLOCK - len(above):
        return block, float(threshold), int(level[BLOCK - len(above)])
    left = nearest.copy()
    left[block] = -np.inf
    return block, float(left.max()), int(left.argmax())


def _move_closer(nearest: Floats, vectors: Floats, lengths: Floats, picked: list[int]) -> None:
    if picked:
        rows = _distances(vectors[picked], lengths[picked], vectors, lengths)
        np.minimum(nearest, rows.min(axis=0), out=nearest)


def _distances(a: Floats, a_lengths: Floats, b: Floats, b_lengths: Floats) -> Floats:
    """Squared distances (len(a), len(b)), exactly 0 where they are no more than rounding."""
    table = a @ b.T
    table *= -2
    table += a_lengths[:, None]
    table += b_lengths[None, :]
    table[table < SAME] = 0
    return np.asarray(table)

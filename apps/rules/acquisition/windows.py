"""A batch at a time from the front of a shortlist."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.intp]


def in_windows(rows: int, wanted: int, batch: int, ratio: int, pick: Callable[[Places, int], Places]) -> Places:
    """Fill `wanted` places batch by batch: each from the ratio x batch best that are left, by pick(window, how many).

    The window keeps doubt ahead of difference: picked from the whole of a small pool, a batch would be all difference.
    What pick leaves out of its batch is filled up in the order of the shortlist.
    """
    left = np.arange(rows)
    chosen: list[Places] = []
    missing = min(wanted, rows)
    while missing > 0:
        n = min(batch, missing)
        window = left[: ratio * batch]
        picked = pick(window, n)[:n]
        if len(picked) < n:
            picked = np.concatenate([picked, window[~np.isin(window, picked)][: n - len(picked)]])
        chosen.append(picked)
        left = left[~np.isin(left, picked)]
        missing -= n
    return np.concatenate(chosen) if chosen else np.empty(0, np.intp)

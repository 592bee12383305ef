"""Do not ask for what was asked: near-duplicates of labeled, skipped or already chosen examples go to the end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.candidates import LabeledVectors
from apps.rules.acquisition.geometry import slices, usable

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
# Cosine from which two examples are one for a person: at least 99.2 % of such pairs among the train rows of sms_spam,
# youtube_spam, banking77 (MiniLM) and mnist_10k (PCA 64) have the same label, at 0.95 only 98.8 %.
NEAR = 0.98
BLOCK = 512  # of the chosen ones compared with each other at once


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """Which of m examples in order (m,) repeat one that has a label or stands before, and which resemble a skipped one."""

    near_duplicate: Bools
    like_skipped: Bools

    @property
    def either(self) -> Bools:
        return np.asarray(self.near_duplicate | self.like_skipped)


def repeats_among(chosen: Floats, labeled: LabeledVectors, kept: Floats) -> Repeats:
    """chosen (m, dim) in order; `kept` (k, dim) were chosen before them. Rows without a direction repeat nothing."""
    chosen, _ = usable(chosen)
    answered, _ = usable(labeled.vectors)
    near, skipped = np.zeros(len(chosen), bool), np.zeros(len(chosen), bool)
    for rows in slices(len(answered)):
        close = chosen @ answered[rows].T >= NEAR
        skip = labeled.classes[rows] < 0
        skipped |= close[:, skip].any(axis=1)
        near |= close[:, ~skip].any(axis=1)
    for block in slices(len(chosen), BLOCK):
        near[block] |= _repeat_kept(chosen[block], kept)
        near[block] = _repeat_earlier(chosen[block], near[block], skipped[block])
        kept = np.concatenate([kept, chosen[block][~(near[block] | skipped[block])]])
    return Repeats(near, skipped & ~near)


def _repeat_kept(block: Floats, kept: Floats) -> Bools:
    found = np.zeros(len(block), bool)
    for rows in slices(len(kept)):
        found |= (block @ kept[rows].T >= NEAR).any(axis=1)
    return found


def _repeat_earlier(block: Floats, near: Bools, skipped: Bools) -> Bools:
    """Within one block: a row repeats an earlier one only where that one is itself no repeat."""
    close = np.tril(block @ block.T >= NEAR, -1)
    found = near.copy()
    for place in np.flatnonzero(close.any(axis=1)):
        found[place] |= bool((close[place] & ~(found | skipped)).any())
    return found

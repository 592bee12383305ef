"""The last step: order the shortlist, and put behind what would be asked twice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.candidates import Candidates, LabeledVectors
from apps.rules.acquisition.duplicates import repeats_among
from apps.rules.acquisition.geometry import Floats, usable
from apps.rules.acquisition.orders import by_priority
from apps.rules.acquisition.registry import Need, Strategy

Places = NDArray[np.intp]
NEXT_CHECKED = 32  # at once where the first did not do, twice as many each turn: 10,000 copies are through in 9 turns


@dataclass(frozen=True, slots=True, eq=False)
class Chosen(Candidates):
    """What to show, in order, and how many examples were put behind others on the way.

    near_duplicates repeat an example that has a label or stands before them; like_skipped resemble one that people
    skipped. They are among the chosen only where nothing else was left.
    """

    near_duplicates: int = 0
    like_skipped: int = 0


def choose(
    strategy: Strategy, candidates: Candidates, labeled: LabeledVectors, *, wanted: int, batch: int, seed: int
) -> Chosen:
    """The `wanted` examples to show, in the order to show them.

    `batch` is how many answers are expected before the model is trained again: every prefix of that length should be
    a good batch, since the rest will be chosen anew. Fewer come back where there are fewer candidates. A strategy that
    compares vectors goes by its priority alone where there are none.
    """
    wanted, batch = min(max(wanted, 0), len(candidates)), max(batch, 1)
    if not wanted:
        return _chosen(candidates, np.empty(0, np.intp))
    if Need.VECTORS not in strategy.needs:
        return _chosen(candidates, strategy.order(candidates, labeled, wanted, batch, seed))
    if candidates.vectors is None:
        return _chosen(candidates, by_priority(candidates, labeled, wanted, batch, seed))
    return _without_repeats(strategy, candidates, candidates.vectors, labeled, wanted, batch, seed)


def _without_repeats(
    strategy: Strategy,
    candidates: Candidates,
    vectors: Floats,
    labeled: LabeledVectors,
    wanted: int,
    batch: int,
    seed: int,
) -> Chosen:
    """Only what would be chosen is compared: again with the next ones in line where some were put behind."""
    vectors, _ = usable(vectors)
    left, kept, behind = np.arange(len(candidates)), np.empty(0, np.intp), np.empty(0, np.intp)
    near = skipped = 0
    at_once = 0
    while len(kept) < wanted and len(left):
        missing = wanted - len(kept)
        checked = left[strategy.order(candidates.take(left), labeled, max(missing, at_once), batch, seed)]
        repeats = repeats_among(vectors[checked], labeled, vectors[kept])
        fresh = checked[~repeats.either][:missing]
        kept, behind = np.concatenate([kept, fresh]), np.concatenate([behind, checked[repeats.either]])
        near, skipped = near + int(repeats.near_duplicate.sum()), skipped + int(repeats.like_skipped.sum())
        at_once = max(2 * at_once, NEXT_CHECKED)
        left = left[~np.isin(left, np.concatenate([fresh, checked[repeats.either]]))]
    return _chosen(candidates, np.concatenate([kept, behind])[:wanted], near, skipped)


def _chosen(candidates: Candidates, places: Places, near: int = 0, skipped: int = 0) -> Chosen:
    found = candidates.take(places)
    return Chosen(found.ids, found.priority, found.probabilities, found.vectors, near, skipped)

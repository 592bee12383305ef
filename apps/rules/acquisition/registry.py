"""The strategies by name. Each is two small pure functions: a priority that thins the pool, an order for what is left."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition import diversity, uncertainty
from apps.rules.acquisition.candidates import Candidates, Labeled, Priority

Places = NDArray[np.intp]
Order = Callable[[Candidates, Labeled, int, int, int], Places]  # candidates, labeled, wanted, batch, seed -> (wanted,)


class Need(StrEnum):
    """What a strategy must be given besides ids."""

    MODEL = "model"  # probabilities of the current model
    VOTES = "votes"  # probabilities of each member of an ensemble
    VECTORS = "vectors"  # embeddings of candidates and of what is labeled


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to choose. `keep` bounds the shortlist: what `order` costs does not grow with the pool."""

    name: str
    title: str  # for a list of choices, in words
    priority: Priority
    order: Order
    needs: frozenset[Need]
    keep: int = 10_000
    per_class: bool = False


def by_priority(candidates: Candidates, labeled: Labeled, wanted: int, batch: int, seed: int) -> Places:
    """As the shortlist stands: best first."""
    return np.arange(min(wanted, len(candidates)))


def spread(candidates: Candidates, labeled: Labeled, wanted: int, batch: int, seed: int) -> Places:
    """Farthest first among the shortlist, from the most uncertain one on."""
    assert candidates.vectors is not None
    return diversity.farthest_first(candidates.vectors, wanted)


_MODEL, _BOTH = frozenset({Need.MODEL}), frozenset({Need.MODEL, Need.VECTORS})
STRATEGIES: dict[str, Strategy] = {
    s.name: s
    for s in (
        Strategy(
            "margin-diversity", "Margin and diversity: close calls that differ from each other",
            uncertainty.margin, spread, _BOTH,
        ),
        Strategy("margin", "Margin: the two best labels are close", uncertainty.margin, by_priority, _MODEL),
        Strategy("entropy", "Entropy: the model is torn between many labels", uncertainty.entropy, by_priority, _MODEL),
        Strategy(
            "least-confidence", "Least confidence: the best label is unlikely",
            uncertainty.least_confidence, by_priority, _MODEL,
        ),
        Strategy("random", "Random: ask the model nothing", uncertainty.at_random, by_priority, frozenset()),
    )
}  # fmt: skip
DEFAULT = "margin-diversity"
START = "random"  # what chooses while no model is there to ask


def strategy_named(name: str) -> Strategy:
    """Raises ValueError naming the strategies that there are."""
    if name not in STRATEGIES:
        raise ValueError(f"No strategy is called {name!r}. Known: {', '.join(sorted(STRATEGIES))}.")
    return STRATEGIES[name]


def choose(
    strategy: Strategy, candidates: Candidates, labeled: Labeled, *, wanted: int, batch: int, seed: int
) -> Candidates:
    """The `wanted` examples to show, in the order to show them.

    `batch` is how many answers are expected before the model is trained again: every prefix of that length should be
    a good batch, since the rest will be chosen anew. Fewer come back where there are fewer candidates.
    """
    if not len(candidates) or wanted <= 0:
        return candidates.take(np.empty(0, np.intp))
    return candidates.take(strategy.order(candidates, labeled, min(wanted, len(candidates)), max(batch, 1), seed))

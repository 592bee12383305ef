"""The strategies by name. Each is two small pure functions: a priority that thins the pool, an order for what is left."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition import orders, uncertainty
from apps.rules.acquisition.candidates import Candidates, Labeled, Priority
from apps.rules.acquisition.orders import by_priority as by_priority

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


_MODEL, _VECTORS = frozenset({Need.MODEL}), frozenset({Need.VECTORS})
_BOTH, _VOTES = _MODEL | _VECTORS, _MODEL | {Need.VOTES}
STRATEGIES: dict[str, Strategy] = {
    s.name: s
    for s in (
        Strategy(
            "margin-clusters",
            "Margin and clusters: close calls, one of each kind",
            uncertainty.margin,
            orders.one_of_each_kind,
            _BOTH,
        ),
        Strategy(
            "margin-diversity",
            "Margin and diversity: close calls that differ from each other",
            uncertainty.margin,
            orders.spread,
            _BOTH,
        ),
        Strategy("margin", "Margin: the two best labels are close", uncertainty.margin, by_priority, _MODEL),
        Strategy("entropy", "Entropy: the model is torn between many labels", uncertainty.entropy, by_priority, _MODEL),
        Strategy(
            "least-confidence",
            "Least confidence: the best label is unlikely",
            uncertainty.least_confidence,
            by_priority,
            _MODEL,
        ),
        Strategy(
            "bald", "BALD: several versions of the model disagree", uncertainty.mutual_information, by_priority, _VOTES
        ),
        Strategy(
            "badge",
            "BADGE: answers that would move the model in different directions",
            uncertainty.gradient_length,
            orders.by_gradient,
            _BOTH,
        ),
        Strategy(
            "class-quota",
            "Class quota: the closest calls of each predicted label in turn",
            uncertainty.margin,
            orders.in_class_turns,
            _MODEL,
            per_class=True,
        ),
        Strategy(
            "typicality",
            "Typicality: stands for many examples, none of them labeled",
            uncertainty.at_random,
            orders.uncovered,
            _VECTORS,
        ),
        Strategy(
            "core-set",
            "Core-set: farthest from everything labeled",
            uncertainty.at_random,
            orders.away_from_labeled,
            _VECTORS,
        ),
        Strategy("random", "Random: ask the model nothing", uncertainty.at_random, by_priority, frozenset()),
    )
}
DEFAULT = "margin-clusters"  # chosen on train rows of four sets: tests/bench/efficiency.py
START = "typicality"  # what chooses while no model is there to ask, or none that can be trusted: phase.py


def strategy_named(name: str) -> Strategy:
    """Raises ValueError naming the strategies that there are."""
    if name not in STRATEGIES:
        raise ValueError(f"No strategy is called {name!r}. Known: {', '.join(sorted(STRATEGIES))}.")
    return STRATEGIES[name]

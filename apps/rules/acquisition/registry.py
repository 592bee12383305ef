"""The strategies by name. Each is two small pure functions: a priority that thins the pool, an order for what is left."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition import orders, uncertainty
from apps.rules.acquisition.candidates import Candidates, LabeledVectors, Priority
from apps.rules.acquisition.orders import by_priority as by_priority
from apps.rules.registry import Registry

Places = NDArray[np.intp]
Order = Callable[
    [Candidates, LabeledVectors, int, int, int], Places
]  # candidates, labeled, wanted, batch, seed -> (wanted,)


class Need(StrEnum):
    """What a strategy must be given besides ids."""

    MODEL = "model"  # probabilities of the current model
    VOTES = "votes"  # probabilities of each member of an ensemble
    VECTORS = "vectors"  # embeddings of candidates and of what is labeled


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to choose. `keep` bounds the shortlist: what `order` costs does not grow with the pool.

    `sentence` tells a person why they see an example that it chose. Where the strategy asks a model, {first}, {first_p},
    {second} and {second_p} are its two best labels and how sure it is of them; reasons.py fills them in.
    """

    name: str
    title: str  # for a list of choices, in words
    sentence: str
    priority: Priority
    order: Order
    needs: frozenset[Need]
    keep: int = 10_000
    per_class: bool = False

    @property
    def asks_model(self) -> bool:
        return Need.MODEL in self.needs


_MODEL, _VECTORS = frozenset({Need.MODEL}), frozenset({Need.VECTORS})
_BOTH, _VOTES = _MODEL | _VECTORS, _MODEL | {Need.VOTES}
UNSURE = "The model's first guess is {first}, and it is only {first_p} sure."
_CLOSE_CALL = "The model hesitates between {first} and {second}, {first_p} against {second_p}."
_OWN = (
    Strategy(
        "margin-clusters",
        "Margin and clusters: close calls, one of each kind",
        "The model hesitates between {first} and {second}, {first_p} against {second_p}, "
        "and this example stands for others like it.",
        uncertainty.margin,
        orders.one_of_each_kind,
        _BOTH,
    ),
    Strategy(
        "margin-diversity",
        "Margin and diversity: close calls that differ from each other",
        _CLOSE_CALL,
        uncertainty.margin,
        orders.spread,
        _BOTH,
    ),
    Strategy("margin", "Margin: the two best labels are close", _CLOSE_CALL, uncertainty.margin, by_priority, _MODEL),
    Strategy(
        "entropy",
        "Entropy: the model is torn between many labels",
        "The model is torn between many labels: {first} leads with {first_p}, {second} follows with {second_p}.",
        uncertainty.entropy,
        by_priority,
        _MODEL,
    ),
    Strategy(
        "least-confidence",
        "Least confidence: the best label is unlikely",
        UNSURE,
        uncertainty.least_confidence,
        by_priority,
        _MODEL,
    ),
    Strategy(
        "bald",
        "BALD: several versions of the model disagree",
        "Versions of the model contradict each other here; together they lean to {first}, {first_p}.",
        uncertainty.mutual_information,
        by_priority,
        _VOTES,
    ),
    Strategy(
        "badge",
        "BADGE: answers that would move the model in different directions",
        "The model guesses {first}, {first_p}, and an answer here would teach it something of its own.",
        uncertainty.gradient_length,
        orders.by_gradient,
        _BOTH,
    ),
    Strategy(
        "class-quota",
        "Class quota: the closest calls of each predicted label in turn",
        "Among the examples that the model takes for {first}, this is one of the least certain, {first_p}.",
        uncertainty.margin,
        orders.in_class_turns,
        _MODEL,
        per_class=True,
    ),
    Strategy(
        "typicality",
        "Typicality: stands for many examples, none of them labeled",
        "It stands for many examples like it that have few labels or none.",
        uncertainty.at_random,
        orders.uncovered,
        _VECTORS,
    ),
    Strategy(
        "core-set",
        "Core-set: farthest from everything labeled",
        "It is unlike everything that has a label.",
        uncertainty.at_random,
        orders.away_from_labeled,
        _VECTORS,
    ),
    Strategy(
        "random",
        "Random: ask the model nothing",
        "Drawn at random, whatever the model thinks.",
        uncertainty.at_random,
        by_priority,
        frozenset(),
    ),
)
STRATEGIES = Registry[Strategy](group="fastloop.strategies", noun="strategy", kind=Strategy, own=_OWN)
DEFAULT = "margin-clusters"  # chosen on train rows of four sets: tests/bench/efficiency.py
START = "typicality"  # what chooses while no model is there to ask, or none that can be trusted: phase.py

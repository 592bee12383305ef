"""Which unlabeled examples a person should see first, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.rules.words import percent

Floats = NDArray[np.floating]
Reason = dict[str, float | int | str]
Strategy = Callable[[Floats, np.random.Generator], Floats]

TINY = 1e-12  # keeps log(0) away; moves an entropy by less than 1e-10


@dataclass(frozen=True, slots=True)
class Pick:
    """One example of the frontier. A higher score is more informative; scores of two strategies do not compare."""

    example_id: int
    score: float
    reason: Reason


def random_order(probabilities: Floats, rng: np.random.Generator) -> Floats:
    """Blind to the model: (n, classes) -> (n,)."""
    return rng.random(len(probabilities))


def least_confidence(probabilities: Floats, rng: np.random.Generator) -> Floats:
    """One minus the probability of the first label: (n, classes) -> (n,)."""
    return np.asarray(1 - probabilities.max(axis=1))


def margin(probabilities: Floats, rng: np.random.Generator) -> Floats:
    """One minus the gap between the first and the second label: (n, classes) -> (n,)."""
    if probabilities.shape[1] < 2:
        return least_confidence(probabilities, rng)
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    return 1 - (top[:, 1] - top[:, 0])


def entropy(probabilities: Floats, rng: np.random.Generator) -> Floats:
    """Shannon entropy in nats: (n, classes) -> (n,)."""
    safe = np.maximum(probabilities, TINY)
    return np.asarray(-np.einsum("nc,nc->n", safe, np.log(safe)))


STRATEGIES: dict[str, Strategy] = {
    "random": random_order,
    "least-confidence": least_confidence,
    "margin": margin,
    "entropy": entropy,
}


def rank(
    strategy: str, probabilities: Floats, ids: Sequence[int] | NDArray[np.int64], limit: int, seed: int
) -> tuple[Pick, ...]:
    """The `limit` most informative rows, best first.

    probabilities (n, classes), ids (n,). Equal scores are ordered by a permutation of the seed, so no row gains from
    its place; rows with a value that is not finite come last. Raises ValueError for an unknown strategy.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"No strategy is called {strategy!r}. Known: {', '.join(sorted(STRATEGIES))}.")
    if len(ids) != len(probabilities):
        raise ValueError(f"{len(ids)} ids do not fit {len(probabilities)} rows of probabilities.")
    limit = min(limit, len(ids))
    if limit <= 0:
        return ()
    rng = np.random.default_rng(seed)
    known = np.asarray(np.isfinite(probabilities).all(axis=1))
    with np.errstate(invalid="ignore"):
        score = np.where(known, STRATEGIES[strategy](probabilities, rng), -np.inf)
    chosen = _best(score, limit, rng)
    return tuple(
        Pick(
            int(ids[row]),
            float(score[row]) if known[row] else 0.0,
            _reason(strategy, probabilities[row], bool(known[row])),
        )
        for row in chosen
    )


def _best(score: Floats, limit: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices of the `limit` highest scores, best first: (n,) -> (limit,)."""
    order = rng.permutation(len(score))
    loss = -score[order]
    front = np.sort(np.argpartition(loss, limit - 1)[:limit])
    front = front[np.argsort(loss[front], kind="stable")]
    return np.asarray(order[front])


def _reason(strategy: str, row: Floats, known: bool) -> Reason:
    """Plain numbers that a database can keep; `reason_sentence` puts them in words."""
    if not known:
        return {"strategy": strategy, "unscored": 1}
    first = int(row.argmax())
    reason: Reason = {"strategy": strategy, "first": first, "first_p": round(float(row[first]), 4)}
    if len(row) > 1:
        second = _second(row, first)
        reason |= {"second": second, "second_p": round(float(row[second]), 4)}
    return reason


def _second(row: Floats, first: int) -> int:
    rest = row.copy()
    rest[first] = -np.inf
    return int(rest.argmax())


def reason_sentence(reason: Mapping[str, float | int | str], label_names: Sequence[str]) -> str:
    """Why a person sees this example, in one sentence.

    >>> reason_sentence({"strategy": "margin", "first": 0, "first_p": 0.41, "second": 1, "second_p": 0.38}, ["A", "B"])
    'The model hesitates between A and B, 41 % against 38 %.'
    """
    strategy = reason["strategy"]
    if strategy == "random":
        return "Drawn at random, whatever the model thinks."
    if "unscored" in reason:
        return "The model gives no usable probability here, so this example waited for the others."
    first, first_p = label_names[int(reason["first"])], percent(float(reason["first_p"]))
    if strategy == "least-confidence" or "second" not in reason:
        return f"The model's first guess is {first}, and it is only {first_p} sure."
    second, second_p = label_names[int(reason["second"])], percent(float(reason["second_p"]))
    if strategy == "entropy":
        return f"The model is torn between many labels: {first} leads with {first_p}, {second} follows with {second_p}."
    return f"The model hesitates between {first} and {second}, {first_p} against {second_p}."

"""How much a model doubts, as one number a row. Higher is more doubt; numbers of two measures do not compare."""

import numpy as np
from numpy.typing import NDArray

from apps.rules.acquisition.candidates import CandidateScores, chance_of

Floats = NDArray[np.floating]
TINY = 1e-12  # keeps log(0) away; moves an entropy by less than 1e-10


def at_random(scores: CandidateScores, seed: int) -> Floats:
    """Blind to the model: the same number for the same id and seed wherever it lies, between 0 and 1."""
    return chance_of(scores.ids, seed).astype(np.float64) / 2**64


def least_confidence(scores: CandidateScores, seed: int = 0) -> Floats:
    """One minus the probability of the first label: (n, classes) -> (n,) (Lewis and Gale 1994)."""
    return np.asarray(1 - _probabilities(scores).max(axis=1))


def margin(scores: CandidateScores, seed: int = 0) -> Floats:
    """One minus the gap between the first and the second label: (n, classes) -> (n,) (Scheffer et al. 2001)."""
    probabilities = _probabilities(scores)
    if probabilities.shape[1] < 2:
        return least_confidence(scores)
    first = np.maximum(probabilities[:, 0], probabilities[:, 1])
    second = np.minimum(probabilities[:, 0], probabilities[:, 1])
    for column in range(2, probabilities.shape[1]):  # a running top two: no row is ever sorted
        here = probabilities[:, column]
        second = np.maximum(second, np.minimum(first, here))
        first = np.maximum(first, here)
    return np.asarray(1 - (first - second))


def entropy(scores: CandidateScores, seed: int = 0) -> Floats:
    """Shannon entropy in nats: (n, classes) -> (n,)."""
    safe = np.maximum(_probabilities(scores), TINY)
    return np.asarray(-np.einsum("nc,nc->n", safe, np.log(safe)))


def mutual_information(scores: CandidateScores, seed: int = 0) -> Floats:
    """BALD in nats: entropy of the mean vote less the mean entropy of the votes, (members, n, classes) -> (n,).

    Houlsby et al. 2011: high where each member is sure and they contradict each other. Not finite votes give -inf.
    """
    if scores.votes is None:
        raise ValueError("This measure of doubt needs the votes of several models, and there are none.")
    safe = np.maximum(scores.votes, TINY)
    mean = safe.mean(axis=0)
    together = -np.einsum("nc,nc->n", mean, np.log(mean))
    alone = -np.einsum("mnc,mnc->n", safe, np.log(safe)) / len(safe)
    return np.asarray(np.where(np.isfinite(scores.votes).all(axis=(0, 2)), together - alone, -np.inf))


def gradient_length(scores: CandidateScores, seed: int = 0) -> Floats:
    """Length of p - onehot(argmax p): how far the model's own guess, taken for the truth, would move it (Ash et al. 2020)."""
    probabilities = _probabilities(scores)
    squares = np.einsum("nc,nc->n", probabilities, probabilities)
    with np.errstate(invalid="ignore"):  # rows that are not finite come last anyway
        return np.asarray(np.sqrt(np.maximum(squares - 2 * probabilities.max(axis=1) + 1, 0)))


def _probabilities(scores: CandidateScores) -> Floats:
    if scores.probabilities is None:
        raise ValueError("This measure of doubt needs a model, and there is none yet.")
    return scores.probabilities

"""A text's words beside its network: a regression on hashed n-grams, added as much as rows that neither saw like best.

Few rows are judged in folds, more by those that the network itself kept for validation. Settings are few on purpose: how much is
added, and what the sum is multiplied with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from workers.training.models.words import BITS, Ints, WordRegression, grams

Floats = NDArray[np.float64]
MOST_WEIGHTS = 1_000_000  # of a regression: features times labels, 2 MB of a model file
MOST_ROUNDS = 60  # of L-BFGS
ROUGH = 1e-5  # relative gain of a round, below which it ends
FEW_LABELS = 8  # a regression's time grows with labels; with more, naive Bayes is blended as well in a hundredth of it
IMAGINED = 60.0  # chosen on banking77's train rows, from 5 to 600
PENALTY = 10.0  # its inverse, scikit-learn's C
FURTHER = 1.0  # the same where an incremental run goes on: what is known gives way to many rows only
LEAST_SEEN, MANY = 2, 300  # rows that an index stands in, where there are so many
SHARES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
SCALES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5)


@dataclass(frozen=True)
class WordCounts:
    """What stands in each text: indices, one row after the other, and where each row ends."""

    indices: Ints
    ends: Ints

    @classmethod
    def of(cls, texts: Sequence[str]) -> "WordCounts":
        found = [grams(text) for text in texts]
        return cls(
            np.fromiter((i for each in found for i in each), np.int64), np.cumsum([0, *map(len, found)], dtype=np.int64)
        )

    def __len__(self) -> int:
        return len(self.ends) - 1

    def seen(self, places: Ints) -> Ints:
        """(2**BITS,): in how many of these rows each index stands."""
        chosen = np.repeat(np.isin(np.arange(len(self)), places), np.diff(self.ends))
        return np.bincount(self.indices[chosen], minlength=1 << BITS)

    def matrix(self, places: Ints, known: Ints, rarity: NDArray[np.float32]) -> Any:
        """(n, known) of length 1 a row, as `WordRegression` reads them."""
        column = np.full(1 << BITS, -1, np.int64)
        column[known] = np.arange(len(known))
        found = column[self.indices]
        row = np.repeat(np.arange(len(self)), np.diff(self.ends))[found >= 0]
        found = found[found >= 0]
        whole = sparse.csr_matrix((rarity[found], (row, found)), shape=(len(self), len(known)))[places]
        length = np.sqrt(np.asarray(whole.multiply(whole).sum(axis=1))).ravel()
        return sparse.diags(1 / np.maximum(length, 1e-9)).dot(whole).tocsr().astype(np.float32)


def naive_bayes(x: Any, y: Ints, counts: Floats, classes: int) -> Floats:
    """Weights (features + 1, classes), the last row zeros, in one pass: multinomial naive Bayes of classes equally frequent.

    Each class is smoothed with IMAGINED as the average row would have them, so one without rows says nothing.
    """
    of_class = sparse.csr_matrix((counts, (np.arange(len(y)), y)), shape=(len(y), classes))
    found = np.asarray((x.T @ of_class).todense(), np.float64)
    usual = found.sum(axis=1, keepdims=True) / max(found.sum(), 1e-9) + 1e-12
    odds = np.log((found + IMAGINED * usual) / (found.sum(axis=0) + IMAGINED))
    return np.vstack([odds - odds.mean(axis=1, keepdims=True), np.zeros((1, classes))])


def softmax_regression(
    x: Any, y: Ints, counts: Floats, start: Floats, penalty: float, rounds: int = MOST_ROUNDS
) -> Floats:
    """Weights (features + 1, classes), the last row the biases, of least log-loss and least distance from `start`.

    `x` (n, features), sparse or not.
    """
    n, shape = len(y), start.shape
    xt = x.T.tocsr() if sparse.issparse(x) else x.T
    known = np.zeros((n, shape[1]), np.float32)
    known[np.arange(n), y] = 1
    counted = counts.astype(np.float32)[:, None]

    def lost(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        logits = x @ weights[:-1].astype(np.float32) + weights[-1].astype(np.float32)
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        total = odds.sum(axis=1, keepdims=True)
        loss = float((counted[:, 0] * (np.log(total[:, 0]) - logits[np.arange(n), y])).sum(dtype=np.float64))
        wrong = counted * (odds / total - known)
        away = weights - start
        away[-1] *= 0.01  # biases are nearly free
        gradient = np.vstack([xt @ wrong, wrong.sum(axis=0, keepdims=True)]) + away / penalty
        return loss + float((away * (weights - start)).sum()) / (2 * penalty), gradient.ravel().astype(np.float64)

    found = minimize(
        lost, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": rounds, "ftol": ROUGH, "maxcor": 6}
    )
    return np.asarray(found.x).reshape(shape)


@dataclass(frozen=True)
class WordShare:
    """How much is added to the network's logits, and what the sum is multiplied with; log-loss of the judges before and after."""

    share: float
    scale: float
    before: float
    after: float
    judges: int


def word_share(network: Floats, words: Floats, y: Ints, counts: Floats) -> WordShare:
    """Logits (n, classes) of both on rows that neither has seen."""
    losses = {
        (share, scale): _loss(scale * (network + share * words), y, counts) for share, scale in product(SHARES, SCALES)
    }
    (share, scale), after = min(losses.items(), key=lambda each: each[1])
    return WordShare(share, scale, losses[0.0, 1.0], after, len(y))


def _loss(logits: Floats, y: Ints, counts: Floats) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]
    return float(np.average(losses, weights=counts))


@dataclass(frozen=True)
class FittedWords:
    """Of one set of rows: which indices they have, how rare each is, and the weights (features + 1, classes), biases last."""

    known: Ints
    rarity: NDArray[np.float32]
    weights: Floats

    def logits(self, texts: WordCounts, places: Ints) -> Floats:
        found: Floats = texts.matrix(places, self.known, self.rarity) @ self.weights[:-1] + self.weights[-1]
        return found

    def module(self, share: float, scale: float) -> WordRegression:
        made = WordRegression(*self.weights[:-1].shape)
        made.known.copy_(torch.from_numpy(self.known)), made.rarity.copy_(torch.from_numpy(self.rarity))
        made.weight.copy_(torch.from_numpy(self.weights[:-1])), made.bias.copy_(torch.from_numpy(self.weights[-1]))
        made.share.fill_(share), made.scale.fill_(scale)
        return made


def fitted_words(texts: WordCounts, places: Ints, y: Ints, classes: int, counts: Floats) -> FittedWords:
    """On these rows, whose labels are y (n,) of `texts`."""
    seen = texts.seen(places)
    known = np.flatnonzero(seen >= (LEAST_SEEN if len(places) >= MANY else 1))
    most = max(MOST_WEIGHTS // classes, 1)
    if len(known) > most:
        known = np.sort(known[np.argsort(-seen[known], kind="stable")[:most]])
    rarity = (np.log((1 + len(places)) / (1 + seen[known])) + 1).astype(np.float32)
    x = texts.matrix(places, known, rarity)
    if classes > FEW_LABELS:
        return FittedWords(known, rarity, naive_bayes(x, y[places], counts[places], classes))
    start = np.zeros((len(known) + 1, classes))
    return FittedWords(known, rarity, softmax_regression(x, y[places], counts[places], start, PENALTY))


def further_words(
    before: WordRegression, had: Sequence[str], labels: Sequence[str], texts: WordCounts, y: Ints, counts: Floats
) -> WordRegression:
    """The same indices, the weights moved by these rows as far as they ask; of more than FEW_LABELS as they are.

    Columns go by the labels' names.
    """
    known, rarity = before.known.numpy(), before.rarity.numpy()
    start = np.zeros((len(known) + 1, len(labels)))
    held = np.vstack([before.weight.double().numpy(), before.bias.double().numpy()[None]])
    for place, label in enumerate(labels):
        if label in had:
            start[:, place] = held[:, had.index(label)]
    if len(labels) <= FEW_LABELS:
        start = softmax_regression(texts.matrix(np.arange(len(y)), known, rarity), y, counts, start, FURTHER)
    return FittedWords(known, rarity, start).module(float(before.share), float(before.scale))

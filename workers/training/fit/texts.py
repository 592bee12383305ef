"""What a run of texts does once its network is trained: a regression on their words comes beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.training.fit.beside import at_random
from workers.training.fit.members import Floats, Ints
from workers.training.fit.reports import Listeners
from workers.training.fit.validation import split
from workers.training.fit.words import (
    FEW_LABELS,
    PENALTY,
    WordCounts,
    WordShare,
    fitted_words,
    further_words,
    softmax_regression,
    word_share,
)
from workers.training.models.bundle import Bundle
from workers.training.models.networks import TextHead
from workers.training.models.words import WordRegression
from workers.training.recipes import SteppedRecipe

LEAST = 40  # rows; fewer cannot tell whether words help
MANY, LATEST, MOST_LOOKED = (
    200,
    0.15,
    5_000,
)  # rows that later ones are told from, what share of them, the newest of more


@dataclass(frozen=True)
class TextBlend:
    """Of a network that was trained on vectors x (n, dim) and targets y (n,), whose logits `divisor` makes honest."""

    labels: tuple[str, ...]
    recipe: SteppedRecipe
    listeners: Listeners

    def worded(
        self,
        network: TextHead,
        texts: Sequence[str],
        x: Tensor,
        y: Tensor,
        weights: Tensor | None,
        divisor: float,
        base: Bundle | None,
        times: Sequence[float] | None = None,
    ) -> WordRegression | None:
        """None where words add nothing, or too few rows could say so. An incremental run goes on from its base's."""
        truth = y.cpu().numpy()
        counted = np.ones(len(truth)) if weights is None else weights.cpu().double().numpy()
        if base is not None:
            before = base.module.words if isinstance(base.module, TextHead) else None
            if before is None:
                return None
            self.listeners.on_notice(further_taken(len(self.labels), len(truth)))
            return further_words(before, base.labels, self.labels, WordCounts.of(texts), truth, counted)
        if len(truth) < LEAST or len(np.unique(truth)) < 2 or counted.sum() <= 0:
            return None
        counts = WordCounts.of(texts)
        found = self._share(network, counts, x.cpu(), truth, counted, divisor)
        self.listeners.on_notice(words_taken(found))
        if times is not None and len(times) == len(truth) >= MANY:
            self._say_later(x.cpu().numpy(), counts, truth, counted, np.asarray(times, np.float64), found.share)
        if not found.share:
            return None
        whole = fitted_words(counts, np.arange(len(truth)), truth, len(self.labels), counted)
        return whole.module(found.share * divisor, found.scale)

    def _say_later(
        self, x: NDArray[np.float32], texts: WordCounts, y: Ints, counted: Floats, times: Floats, share: float
    ) -> None:
        """What the newest rows say of a model of older ones, and what as many drawn by chance would have promised."""
        newest = np.argsort(times, kind="stable")[-MOST_LOOKED:]
        drawn = np.random.default_rng(self.recipe.seed).permutation(newest)
        cut = int((1 - LATEST) * len(newest))
        if any(len(np.unique(y[order[:cut]])) < 2 for order in (newest, drawn)):
            return
        later, promised = (
            self._right(x, texts, y, counted, np.sort(order[:cut]), np.sort(order[cut:]), share)
            for order in (newest, drawn)
        )
        self.listeners.on_notice(
            f"rows drawn at random would have promised an accuracy of {promised:.1%}, later rows say {later:.1%}"
        )

    def _right(
        self,
        x: NDArray[np.float32],
        texts: WordCounts,
        y: Ints,
        counted: Floats,
        train: Ints,
        judging: Ints,
        share: float,
    ) -> float:
        """Accuracy, with a regression on the vectors in the network's place."""
        said = _probed(x, train, y, len(self.labels), counted)[judging]
        if share:
            said = said + share * fitted_words(texts, train, y, len(self.labels), counted).logits(texts, judging)
        return float((said.argmax(axis=1) == y[judging]).mean())

    def _share(
        self, network: TextHead, texts: WordCounts, x: Tensor, truth: Ints, counted: Floats, divisor: float
    ) -> WordShare:
        classes = len(self.labels)
        train, held = split(truth, self.recipe.validation_share, self.recipe.seed)
        if len(held):
            words = fitted_words(texts, train, truth, classes, counted).logits(texts, held)
            with torch.inference_mode():
                said = network(x[torch.from_numpy(held)]).numpy() / divisor
            return word_share(said, words, truth[held], counted[held])
        said, words = np.zeros((2, len(truth), classes))
        for mine, judging in at_random(truth, self.recipe.seed):
            words[judging] = fitted_words(texts, mine, truth, classes, counted).logits(texts, judging)
            said[judging] = _probed(x.numpy(), mine, truth, classes, counted)[judging]
        return replace(word_share(said, words, truth, counted), scale=1.0)


def _probed(x: NDArray[np.float32], places: Ints, truth: Ints, classes: int, counted: Floats) -> Floats:
    """What a regression on the vectors of these places says of all: it stands for the network, which takes seconds to train."""
    start = np.zeros((x.shape[1] + 1, classes))
    weights = softmax_regression(x[places], truth[places], counted[places], start, PENALTY)
    found: Floats = x @ weights[:-1] + weights[-1]
    return found


def further_taken(labels: int, texts: int) -> str:
    if labels > FEW_LABELS:
        return "words say what they said in the base; the next full run learns them anew"
    return f"the regression on words goes on from the base’s with {texts:,} texts"


def words_taken(found: WordShare) -> str:
    which = f"{found.judges:,} rows that neither saw"
    if not found.share:
        return f"words add nothing to the vectors, by {which}"
    return f"log-loss by {which}: vectors alone {found.before:.3f}, with {found.share:g} of what words say {found.after:.3f}"

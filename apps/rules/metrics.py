"""How good probabilities are on labeled examples, with intervals. It measures; `gate` decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from apps.rules.words import count

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

BINS = 15  # equal width, as in Guo et al. 2017, "On Calibration of Modern Neural Networks"
CLIP = 1e-7  # one impossible answer that came true costs at most 16 nats, not infinity
LEVEL = (2.5, 97.5)  # percentiles of a 95 % interval
UNSEEN = 3.0  # rule of three (Hanley and Lippman-Hand 1983): what never happened in n may happen 3 in n times
NAMES = ("accuracy", "macro_f1", "log_loss", "calibration_error")
SHARES = np.array(
    [True, True, False, False]
)  # between 0 and 1; a bootstrap of equal answers knows no doubt, so it gets UNSEEN


@dataclass(frozen=True, slots=True)
class Metric:
    """A value with its 95 % interval; each is None where undefined, and then `reason` says why."""

    value: float | None
    low: float | None
    high: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Difference(Metric):
    """Candidate minus champion on the same examples."""


M = TypeVar("M", bound=Metric)


@dataclass(frozen=True, slots=True)
class Measures:
    """What one model does on n labeled examples. confusion[t, p] counts truth t predicted as p."""

    n: int
    accuracy: Metric
    macro_f1: Metric
    log_loss: Metric
    calibration_error: Metric
    majority_rate: float | None
    confusion: Ints = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Marked:
    """Per-example marks, made once, so that a draw only has to weigh them."""

    classes: int
    truth: Ints
    predicted: Ints
    correct: Floats
    loss: Floats
    overconfidence: Floats  # confidence minus correctness
    bin: Ints


def accuracy(truth: Ints, probabilities: Floats) -> float:
    """Share of rows whose most probable class is the truth: (n,), (n, classes)."""
    return float(_mark(truth, probabilities).correct.mean())


def macro_f1(truth: Ints, probabilities: Floats) -> float:
    """Mean F1 over the classes that occur in the truth or in the predictions."""
    return float(_points(_mark(truth, probabilities), np.ones(len(truth)))[1])


def log_loss(truth: Ints, probabilities: Floats) -> float:
    """Mean of -log p(truth) in nats, with p clipped to at least 1e-7."""
    return float(_mark(truth, probabilities).loss.mean())


def calibration_error(truth: Ints, probabilities: Floats) -> float:
    """Expected calibration error over 15 equal-width bins of the first label's probability (Guo et al. 2017)."""
    return float(_points(_mark(truth, probabilities), np.ones(len(truth)))[3])


def confusion(truth: Ints, predicted: Ints, n_classes: int) -> Ints:
    """(n,), (n,) -> (classes, classes), rows are the truth."""
    cells = np.bincount(truth * n_classes + predicted, minlength=n_classes**2)
    return np.asarray(cells.reshape(n_classes, n_classes), dtype=np.int64)


def align(probabilities: Floats, have: Sequence[str], want: Sequence[str]) -> Floats:
    """Columns reordered from the labels `have` to the labels `want`; a label that a model does not know gets 0."""
    out = np.zeros((len(probabilities), len(want)), dtype=probabilities.dtype)
    place = {label: column for column, label in enumerate(have)}
    for column, label in enumerate(want):
        if label in place:
            out[:, column] = probabilities[:, place[label]]
    return out


def measure(truth: Ints, probabilities: Floats, seed: int, draws: int = 1000, n_classes: int | None = None) -> Measures:
    """Every metric with a percentile bootstrap interval over the examples.

    truth (n,) class indices, probabilities (n, classes). Nothing is ever NaN: with no examples, or with a probability
    that is not finite, values are None with the reason; with one example the value stands without an interval.
    """
    width = max(probabilities.shape[1] if probabilities.ndim == 2 else 0, n_classes or 0)
    why = _unusable(truth, probabilities)
    if why:
        nothing = Metric(None, None, None, why)
        return Measures(
            len(truth),
            nothing,
            nothing,
            nothing,
            nothing,
            _majority_rate(truth),
            np.zeros((width, width), dtype=np.int64),
        )
    marked = _mark(truth, probabilities)
    value = _points(marked, np.ones(len(truth)))
    low, high = _interval(len(truth), seed, draws, lambda weights: _points(marked, weights))
    low, high = np.where(SHARES, np.maximum(low, 0), low), np.where(SHARES, np.minimum(high, 1), high)
    by_name = dict(zip(NAMES, _metrics(Metric, len(truth), value, low, high), strict=True))
    return Measures(
        n=len(truth),
        majority_rate=_majority_rate(truth),
        **by_name,
        confusion=confusion(marked.truth, marked.predicted, max(marked.classes, width)),
    )


def compare(
    truth: Ints, candidate_probs: Floats, champion_probs: Floats, seed: int, draws: int = 1000
) -> dict[str, Difference]:
    """Candidate minus champion by paired bootstrap: both models are weighed by the same draw of examples.

    Both arrays (n, classes) have the same columns as the truth's indices; see `align`.
    """
    why = _unusable(truth, candidate_probs) or _unusable(truth, champion_probs)
    if why:
        return dict.fromkeys(NAMES, Difference(None, None, None, why))
    candidate, champion = _mark(truth, candidate_probs), _mark(truth, champion_probs)

    def gain(weights: Floats) -> Floats:
        return _points(candidate, weights) - _points(champion, weights)

    low, high = _interval(len(truth), seed, draws, gain)
    return dict(zip(NAMES, _metrics(Difference, len(truth), gain(np.ones(len(truth))), low, high), strict=True))


def _unusable(truth: Ints, probabilities: Floats) -> str:
    if len(truth) == 0:
        return "No labeled example to measure on."
    if len(truth) != len(probabilities):
        raise ValueError(f"{len(truth)} labels do not fit {len(probabilities)} rows of probabilities.")
    broken = int((~np.isfinite(probabilities).all(axis=1)).sum())
    return f"{count(broken, 'row')} of {len(truth):,} hold a probability that is not a number." if broken else ""


def _majority_rate(truth: Ints) -> float | None:
    """What always answering the most frequent label would score on these examples."""
    return float(np.bincount(truth).max() / len(truth)) if len(truth) else None


def _mark(truth: Ints, probabilities: Floats) -> _Marked:
    """(n,), (n, classes) -> marks (n,). A truth beyond the columns, a label unknown to the model, has probability 0."""
    rows, truth = np.arange(len(truth)), np.asarray(truth, dtype=np.int64)
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    confidence = probabilities[rows, predicted].astype(np.float64)
    inside = truth < probabilities.shape[1]
    of_truth = np.where(inside, probabilities[rows, np.where(inside, truth, 0)], 0.0).astype(np.float64)
    correct = (predicted == truth).astype(np.float64)
    return _Marked(
        classes=max(probabilities.shape[1], int(truth.max()) + 1),
        truth=truth,
        predicted=predicted,
        correct=correct,
        loss=-np.log(np.clip(of_truth, CLIP, 1.0)),
        overconfidence=confidence - correct,
        bin=np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1),
    )


def _points(marked: _Marked, weights: Floats) -> Floats:
    """The four metrics of NAMES with each example counted `weights` times: (n,) -> (4,)."""
    total = weights.sum()
    in_truth = np.bincount(marked.truth, weights, marked.classes)
    in_predicted = np.bincount(marked.predicted, weights, marked.classes)
    hits = np.bincount(marked.truth, weights * marked.correct, marked.classes)
    seen = in_truth + in_predicted
    f1 = 2 * hits[seen > 0] / seen[seen > 0]
    gaps = np.bincount(marked.bin, weights * marked.overconfidence, BINS)
    return np.array([hits.sum() / total, f1.mean(), weights @ marked.loss / total, np.abs(gaps).sum() / total])


def _interval(n: int, seed: int, draws: int, points: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Percentile bootstrap (Efron and Tibshirani 1993, ch. 13): low (4,), high (4,)."""
    rng = np.random.default_rng(seed)
    sampled = np.array(
        [points(np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64)) for _ in range(draws)]
    )
    low, high = np.percentile(sampled, LEVEL, axis=0)
    certain = SHARES & (low == high)
    return np.where(certain, low - UNSEEN / n, low), np.where(certain, high + UNSEEN / n, high)


def _metrics(kind: type[M], n: int, value: Floats, low: Floats, high: Floats) -> list[M]:
    if n == 1:
        return [kind(float(v), None, None, "One example gives no interval.") for v in value]
    return [kind(float(v), float(lo), float(hi)) for v, lo, hi in zip(value, low, high, strict=True)]

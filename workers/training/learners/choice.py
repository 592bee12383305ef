"""One label of several: softmax, cross-entropy, and the most probable label."""

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from apps.rules import metrics
from workers.training.learners.outputs import Floats, Outputs, Places

NEAREST = 12  # labels offered as buttons where a schema has more


def loss(logits: Tensor, targets: Tensor, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
    if weights is None:
        return F.cross_entropy(logits, targets, label_smoothing=smoothing)
    return (F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none") * weights).mean()


def right(logits: Tensor, targets: Tensor) -> Tensor:
    return logits.argmax(dim=1) == targets


def probabilities(logits: Tensor, dim: int = 1) -> Tensor:
    return logits.softmax(dim=dim)


def top(found: Floats) -> tuple[Places, Floats]:
    return found.argmax(axis=1).astype(np.int64), np.asarray(found.max(axis=1))


def suggestion(row: Floats, labels: Sequence[str]) -> dict[str, object]:
    """What the labeling screen may show: the guess, and the nearest labels in the order of the alphabet."""
    if not np.isfinite(row).all():
        return {}
    order = np.argsort(-row)
    nearest = sorted((labels[int(i)] for i in order[:NEAREST]), key=str.casefold) if len(labels) > NEAREST else []
    return {
        "suggestion": labels[int(order[0])],
        "suggestion_confidence": round(float(row[order[0]]), 4),
        "nearest": nearest,
    }


CHOICE = Outputs(loss, right, probabilities, top, metrics.measure, metrics.compare, suggestion)

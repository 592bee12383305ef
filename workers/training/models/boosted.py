"""Boosted trees and a regression beside the network of a table: as tensors, so that they are kept, moved and loaded as weights are.

Both read what the network reads: standardised numbers, marks of missing ones, indices of categories (see `TabularInput.tensor`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float64]
HARDLY = -12.0  # log odds of a label that no row had
NODE = ("feature", "threshold", "left", "right", "value")


class CategoryCodes(nn.Module):
    """Each category as one number: how often its rows had which label, along the direction in which that differs most."""

    def __init__(self, numbers: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.numbers, self.sizes = numbers, sizes
        self.register_buffer("codes", torch.zeros(sum(sizes), dtype=torch.float64))
        self.register_buffer("starts", torch.tensor([sum(sizes[:i]) for i in range(len(sizes))], dtype=torch.long))

    codes: Tensor
    starts: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(n, numbers + categories) with indices -> the same with codes, float64."""
        if not self.sizes:
            return x.double()
        index = x[:, self.numbers :].long() + self.starts
        return torch.cat([x[:, : self.numbers].double(), self.codes[index]], dim=1)


class BoostedTrees(nn.Module):
    """Trees of numeric splits, `classes` an iteration (one where there are two classes): (n, width) float64 -> logits (n, classes).

    A leaf is its own child, so that all rows walk the same number of steps.
    """

    feature: Tensor
    threshold: Tensor
    left: Tensor
    right: Tensor
    value: Tensor
    baseline: Tensor
    steps: Tensor

    def __init__(self, trees: int, nodes: int, outputs: int) -> None:
        super().__init__()
        for name in NODE:
            kind = torch.float64 if name in ("threshold", "value") else torch.int32
            self.register_buffer(name, torch.zeros(trees, nodes, dtype=kind))
        self.register_buffer("baseline", torch.zeros(outputs, dtype=torch.float64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int32))

    @classmethod
    def of(cls, fitted: Any) -> "BoostedTrees":
        """Of a fitted HistGradientBoostingClassifier without categorical features."""
        trees = [tree.nodes for iteration in fitted._predictors for tree in iteration]
        baseline = np.asarray(fitted._baseline_prediction, np.float64).reshape(-1)
        made = cls(len(trees), max((len(nodes) for nodes in trees), default=1), len(baseline))
        for place, nodes in enumerate(trees):
            made._fill(place, nodes)
        made.baseline.copy_(torch.from_numpy(baseline))
        made.steps.fill_(max((int(nodes["depth"].max()) for nodes in trees), default=0))
        return made

    def _fill(self, tree: int, nodes: Any) -> None:
        own, leaf = np.arange(len(nodes)), nodes["is_leaf"].astype(bool)
        columns = {
            "feature": np.where(leaf, 0, nodes["feature_idx"]),
            "threshold": np.where(leaf, 0.0, nodes["num_threshold"]),
            "left": np.where(leaf, own, nodes["left"]),
            "right": np.where(leaf, own, nodes["right"]),
            "value": nodes["value"],
        }
        for name, column in columns.items():
            target = getattr(self, name)
            target[tree, : len(nodes)] = torch.as_tensor(np.asarray(column)).to(target.dtype)

    def forward(self, x: Tensor) -> Tensor:
        n, trees, outputs = len(x), len(self.feature), len(self.baseline)
        first = torch.arange(trees, device=x.device) * self.feature.shape[1]  # of each tree, in the nodes of all
        at = first.expand(n, trees)
        feature, threshold = self.feature.reshape(-1).long(), self.threshold.reshape(-1)
        left, right = (first[:, None] + self.left).reshape(-1), (first[:, None] + self.right).reshape(-1)
        for _ in range(int(self.steps)):
            smaller = x.gather(1, feature[at]) <= threshold[at]
            at = torch.where(smaller, left[at], right[at])
        raw = self.value.reshape(-1)[at].reshape(n, -1, outputs).sum(dim=1) + self.baseline
        return torch.cat([torch.zeros_like(raw), raw], dim=1) if outputs == 1 else raw


class OneHotRegression(nn.Module):
    """Multinomial logistic regression on numbers, marks and one weight a category: (n, width) -> logits (n, classes)."""

    weight: Tensor
    bias: Tensor
    starts: Tensor
    penalty: Tensor  # its inverse, scikit-learn's C

    def __init__(self, numbers: int, sizes: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.numbers, self.sizes = numbers, sizes
        self.register_buffer("weight", torch.zeros(numbers + sum(sizes), classes))
        self.register_buffer("bias", torch.zeros(classes))
        self.register_buffer("penalty", torch.ones((), dtype=torch.float64))
        starts = [numbers + sum(sizes[:i]) for i in range(len(sizes))]
        self.register_buffer("starts", torch.tensor(starts, dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        found = x[:, : self.numbers] @ self.weight[: self.numbers] + self.bias
        if self.sizes:
            found = found + self.weight[x[:, self.numbers :].long() + self.starts].sum(dim=1)
        return found


class TableSiblings(nn.Module):
    """What answers beside a network, and the share of each of the three in the answer: `shares` (3,), network first.

    `present` (p,) are the labels that it was fitted on, which may be fewer than the network has; it holds the others for hardly
    possible.
    """

    shares: Tensor
    present: Tensor

    def __init__(self, numbers: int, sizes: tuple[int, ...], classes: int, present: int, trees: BoostedTrees) -> None:
        super().__init__()
        self.classes = classes
        self.codes = CategoryCodes(numbers, sizes)
        self.trees = trees
        self.regression = OneHotRegression(numbers, sizes, present)
        self.register_buffer("shares", torch.tensor([1.0, 0.0, 0.0]))
        self.register_buffer("present", torch.arange(present))

    @classmethod
    def shaped(
        cls, numbers: int, sizes: tuple[int, ...], classes: int, state: Mapping[str, Tensor], prefix: str
    ) -> "TableSiblings":
        """Room for what a saved state holds."""
        trees, nodes = state[f"{prefix}trees.feature"].shape
        boosted = BoostedTrees(trees, nodes, len(state[f"{prefix}trees.baseline"]))
        return cls(numbers, sizes, classes, len(state[f"{prefix}present"]), boosted)

    def parts(self, network: Tensor, x: Tensor, shares: Sequence[float] = (1.0, 1.0, 1.0)) -> Tensor:
        """Logits (n, classes) of the network, and what it read -> probabilities (3, n, classes); 0 of whom has no share."""
        found = [network if shares[0] else None, None, None]
        if shares[1]:
            found[1] = self._among_all(self.trees(self.codes(x)).float())
        if shares[2]:
            found[2] = self._among_all(self.regression(x))
        return torch.stack([torch.zeros_like(network) if each is None else each.softmax(dim=1) for each in found])

    def _among_all(self, logits: Tensor) -> Tensor:
        if logits.shape[1] == self.classes:
            return logits
        found = logits.new_full((len(logits), self.classes), 0.0)
        found += logits.logsumexp(dim=1, keepdim=True) + HARDLY
        return found.index_copy(1, self.present, logits)

    def forward(self, network: Tensor, x: Tensor) -> Tensor:
        """As `parts` -> logarithms of the blended probabilities (n, classes)."""
        return blended(self.parts(network, x, self.shares.tolist()), self.shares)


def blended(parts: Tensor, shares: Tensor) -> Tensor:
    """(members, n, classes), (members,) -> logarithms of their mean (n, classes)."""
    return (shares[:, None, None] * parts).sum(dim=0).clamp_min(1e-9).log()

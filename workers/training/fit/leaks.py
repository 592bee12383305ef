"""Columns of a table that say the label all by themselves: most often they were written down after it was known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workers.training.fit.members import Ints

FOLDS = 3
NEARLY = 0.98  # mean share of each label's rows that the column gets right on rows held back
MOST = 5_000  # rows that are looked at
LEAST = 10  # rows of a label; one with fewer says nothing
FEW_ROWS_A_VALUE = 5  # on the average; with fewer a category is a name


@dataclass(frozen=True)
class LeakingColumn:
    name: str
    right: float  # mean recall over the labels


def leaking_columns(
    x: Tensor, y: Ints, numbers: tuple[str, ...], categories: tuple[str, ...], seed: int
) -> list[LeakingColumn]:
    """`x` (n, values, marks of missing ones, indices of categories), y (n,). Only labels with rows enough are judged by."""
    present, counts = np.unique(y, return_counts=True)
    places = np.flatnonzero(np.isin(y, present[counts >= LEAST]))
    places = np.random.default_rng(seed).permutation(places)[:MOST]
    cells, truth = x[places].numpy(), y[places]
    if len(np.unique(truth)) < 2:
        return []
    found = []
    for place, name in enumerate(numbers):
        found.append(LeakingColumn(name, _by_tree(cells[:, [place, len(numbers) + place]], truth)))
    for place, name in enumerate(categories, start=2 * len(numbers)):
        found.append(LeakingColumn(name, _by_value(cells[:, place].astype(np.int64), truth)))
    return [each for each in found if each.right >= NEARLY]


def _by_tree(x: NDArray[np.float32], y: Ints) -> float:
    """As few cuts as there are labels, twice."""
    from sklearn.tree import DecisionTreeClassifier

    said = np.empty_like(y)
    for fold in range(FOLDS):
        held = np.arange(len(y)) % FOLDS == fold
        tree = DecisionTreeClassifier(max_leaf_nodes=2 * len(np.unique(y)), class_weight="balanced", random_state=0)
        said[held] = tree.fit(x[~held], y[~held]).predict(x[held])
    return _recall(said, y)


def _by_value(index: Ints, y: Ints) -> float:
    if len(np.unique(index)) * FEW_ROWS_A_VALUE > len(index):
        return 0.0
    labels, place = np.unique(y, return_inverse=True)
    said = np.empty_like(place)
    for fold in range(FOLDS):
        held = np.arange(len(y)) % FOLDS == fold
        seen = np.zeros((int(index.max()) + 1, len(labels)))
        np.add.at(seen, (index[~held], place[~held]), 1)
        said[held] = (seen / np.maximum(seen.sum(axis=0), 1)).argmax(axis=1)[index[held]]
    return _recall(said, place)


def _recall(said: Ints, y: Ints) -> float:
    return float(np.mean([(said[y == label] == label).mean() for label in np.unique(y)]))

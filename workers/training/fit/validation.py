"""Which training rows are kept apart for early stopping and temperature. The protected holdout is never among them."""

import numpy as np
from numpy.typing import NDArray

LEAST_VALIDATION = 20  # fewer rows cannot tell one epoch from the next, so all rows train and all epochs run


def split(targets: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices (train, validation), every class in proportion; one row of each class always trains."""
    n, wanted = len(targets), int(len(targets) * share)
    if wanted < LEAST_VALIDATION:
        return np.arange(n), np.arange(0)
    shuffled = np.random.default_rng(seed).permutation(n)
    by_class = shuffled[np.argsort(targets[shuffled], kind="stable")]
    _, first = np.unique(targets[by_class], return_index=True)
    spare = np.delete(by_class, first)
    wanted = min(wanted, len(spare))
    validation = spare[((np.arange(wanted) + 0.5) * len(spare) / max(wanted, 1)).astype(np.int64)]
    # shuffled again, so that the first rows of a long validation set are no single class
    return np.setdiff1d(np.arange(n), validation), np.random.default_rng(seed).permutation(validation)

"""Labels that may be wrong, by confident learning (Northcutt et al. 2021) on out-of-sample probabilities.

It runs in a process of its own, which ends: scikit-learn and cleanlab take 150 MB that a worker would hold ever after.
"""

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
C = 10.0  # as of the probe that compares lanes
WITHIN_S = 1800.0
Ids = NDArray[np.int64]
Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Judged:
    """`order` are rows that may be wrong, the most doubtful first; for all rows the `expected` class and the `quality`
    of the given label, 0 to 1 (cleanlab's self-confidence)."""

    order: Ids
    expected: Ids
    quality: Floats


def judged_apart(vectors: NDArray[np.float32], classes: Ids, *, seed: int) -> Judged:
    """`judged` in a process of its own. Raises CalledProcessError with what it said."""
    asked, root = io.BytesIO(), Path(__file__).resolve().parents[3]
    np.savez(asked, vectors=vectors, classes=classes, seed=seed)
    done = subprocess.run(
        [sys.executable, "-m", "workers.training.doubts.confident"],
        input=asked.getvalue(),
        capture_output=True,
        cwd=root,
        check=True,
        timeout=WITHIN_S,
    )
    with np.load(io.BytesIO(done.stdout)) as told:
        return Judged(told["order"], told["expected"], told["quality"])


def judged(vectors: NDArray[np.float32], classes: Ids, *, seed: int) -> Judged:
    """vectors (n, dim), classes (n,) from 0, each with at least FOLDS rows."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    probabilities = out_of_sample(vectors, classes, seed=seed)
    order = find_label_issues(classes, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    return Judged(
        np.asarray(order, np.int64), probabilities.argmax(axis=1), get_label_quality_scores(classes, probabilities)
    )


def out_of_sample(vectors: NDArray[np.float32], classes: Ids, *, seed: int) -> NDArray[np.float64]:
    """Each row's probabilities (n, classes) by a logistic regression that did not see it: five stratified folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    found = np.zeros((len(classes), int(classes.max()) + 1))
    x = np.nan_to_num(vectors.astype(np.float64))
    for seen, unseen in folds.split(x, classes):
        head = LogisticRegression(C=C, max_iter=200).fit(x[seen], classes[seen])
        found[unseen] = head.predict_proba(x[unseen])
    return found


def main() -> None:
    """Arrays in on standard input, arrays out on standard output."""
    with np.load(io.BytesIO(sys.stdin.buffer.read())) as asked:
        found = judged(asked["vectors"], asked["classes"], seed=int(asked["seed"]))
    told = io.BytesIO()
    np.savez(told, order=found.order, expected=found.expected, quality=found.quality)
    sys.stdout.buffer.write(told.getvalue())


if __name__ == "__main__":
    main()

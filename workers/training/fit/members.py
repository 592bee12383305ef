"""Trees and regressions of one table, fitted by scikit-learn and kept as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.training.models.boosted import BoostedTrees, TableSiblings
from workers.training.models.networks import TabularNet

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
STAGES = (15, 30, 60, 120, 200, 300)  # trees a label
MOST_TREES = 3_000  # of all labels together
PENALTIES = (0.1, 1.0, 10.0)  # inverse; scikit-learn's C
USUAL_STAGE, USUAL_PENALTY = 120, 1.0  # scikit-learn’s own, about: others are taken where they are surely better
NEWTON = 1_000  # weights; of more the second derivatives cost more than they save
SMOOTHED = 10.0  # imagined rows of the average label in each category


@dataclass(frozen=True)
class MemberSettings:
    stage: int  # trees a label
    penalty: float


class TableMembers:
    """Trees and regression of one table: `x` (n, width) as the network reads it, `y` (n,), `weights` (n,) as each row counts."""

    def __init__(self, network: TabularNet, x: Tensor, y: Ints, seed: int, weights: Floats | None = None) -> None:
        self.numbers, self.sizes, self.classes = network.numbers, network.sizes, network.classes
        self.x, self.y, self.seed = x, y, seed
        self.weights = np.ones(len(y)) if weights is None else weights

    def fitted(self, places: Ints, settings: MemberSettings, shares: Sequence[float]) -> TableSiblings:
        """On these rows. They have two labels at least."""
        made, y, _ = self._begun(places)
        made.trees = BoostedTrees.of(self._boosted(made, places, y, settings.stage))
        weight, bias = self._regression(places, y, settings.penalty)
        made.regression.weight.copy_(weight), made.regression.bias.copy_(bias)
        made.regression.penalty.fill_(settings.penalty), made.shares.copy_(torch.tensor(shares))
        return made

    def _begun(self, places: Ints) -> tuple[TableSiblings, Ints, Ints]:
        """With codes and nothing fitted; (n,) the labels' places among those that are there, and those (p,)."""
        present, y = np.unique(self.y[places], return_inverse=True)
        made = TableSiblings(self.numbers, self.sizes, self.classes, len(present), BoostedTrees(0, 1, 1))
        made.present.copy_(torch.from_numpy(present))
        made.codes.codes.copy_(torch.from_numpy(self._codes(places, y, len(present))))
        return made, y, present

    def tried(self, places: Ints, judging: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
        """Probabilities of the judging rows by each stage (stages, n, classes) and each penalty (penalties, n, classes)."""
        made, y, present = self._begun(places)
        stages = self.stages(len(present))
        boosted = self._boosted(made, places, y, stages[-1])
        seen = made.codes(self.x[judging]).numpy()
        staged = [found for n, found in enumerate(boosted.staged_predict_proba(seen), start=1) if n in stages]
        by_penalty = []
        for penalty in PENALTIES:
            weight, bias = self._regression(places, y, penalty)
            made.regression.weight.copy_(weight), made.regression.bias.copy_(bias)
            by_penalty.append(made.regression(self.x[judging]).softmax(dim=1).numpy())
        return self._among_all(np.stack(staged), present), self._among_all(np.stack(by_penalty), present)

    def stages(self, present: int) -> list[int]:
        outputs = 1 if present == 2 else present
        return [stage for stage in STAGES if stage * outputs <= MOST_TREES] or [max(MOST_TREES // outputs, 1)]

    def _among_all(self, found: NDArray[Any], present: Ints) -> NDArray[Any]:
        whole = np.full((*found.shape[:2], self.classes), 1e-6)
        whole[:, :, present] = found
        return whole

    def _codes(self, places: Ints, y: Ints, classes: int) -> NDArray[np.float64]:
        """(sum of sizes,): smoothed shares of the labels, along the direction in which the categories differ most."""
        weights = self.weights[places]
        share = np.bincount(y, weights, minlength=classes) / weights.sum()
        parts = []
        for column, size in enumerate(self.sizes):
            index = self.x[places, self.numbers + column].long().numpy()
            counts = np.zeros((size, classes))
            np.add.at(counts, (index, y), weights)
            rates = (counts + SMOOTHED * share) / (counts.sum(axis=1, keepdims=True) + SMOOTHED) - share
            _, _, directions = np.linalg.svd(rates * np.sqrt(counts.sum(axis=1, keepdims=True)), full_matrices=False)
            parts.append(rates @ directions[0])
        return np.concatenate(parts) if parts else np.zeros(0)

    def _boosted(self, made: TableSiblings, places: Ints, y: Ints, stage: int) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        few = len(places) < 1000
        learner = HistGradientBoostingClassifier(
            learning_rate=0.06,
            max_iter=stage,
            max_leaf_nodes=15 if few else 31,
            min_samples_leaf=10 if few else 20,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=self.seed,
        )
        return learner.fit(made.codes(self.x[places]).numpy(), y, sample_weight=self.weights[places])

    def _regression(self, places: Ints, y: Ints, penalty: float) -> tuple[Tensor, Tensor]:
        """Weights (width, present), biases (present,)."""
        from sklearn.linear_model import LogisticRegression

        rows = self._one_hot(places)
        small = rows.shape[1] * len(np.unique(y)) <= NEWTON
        solver = {"solver": "newton-cholesky"} if small else {"solver": "lbfgs", "max_iter": 300}
        learner = LogisticRegression(C=penalty, **solver).fit(rows, y, sample_weight=self.weights[places])
        weight, bias = learner.coef_.T, learner.intercept_
        if weight.shape[1] == 1:
            weight, bias = np.concatenate([np.zeros_like(weight), weight], axis=1), np.array([0.0, bias[0]])
        return torch.from_numpy(weight).float(), torch.from_numpy(np.asarray(bias)).float()

    def _one_hot(self, places: Ints) -> Any:
        from scipy import sparse

        x = self.x[places].numpy()
        parts = [sparse.csr_matrix(x[:, : self.numbers].astype(np.float64))]
        for column, size in enumerate(self.sizes):
            index = x[:, self.numbers + column].astype(np.int64)
            parts.append(sparse.csr_matrix((np.ones(len(x)), (np.arange(len(x)), index)), shape=(len(x), size)))
        return sparse.hstack(parts, format="csr")

"""What a network's outputs mean for one kind of answer: from logits to a loss, probabilities, measures and a suggestion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from apps.rules.metrics import Difference, Measures

Floats = NDArray[np.floating]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Logits (n, classes) and targets as the network's rows; probabilities as numpy, one column a label."""

    loss: Callable[..., Tensor]  # logits, targets, label smoothing, weights (n,) or None -> the mean, a scalar
    right: Callable[[Tensor, Tensor], Tensor]  # logits, targets -> (n,) whether the answer would be right
    probabilities: Callable[[Tensor, int], Tensor]  # logits and the dimension of their classes -> the same shape
    top: Callable[[Floats], tuple[Places, Floats]]  # probabilities -> (n,) places of the answer, (n,) how sure it is
    measure: Callable[..., Measures]  # truth (n,), probabilities, seed, n_classes
    compare: Callable[..., dict[str, Difference]]  # truth (n,), the candidate's and the champion's probabilities, seed
    suggestion: Callable[[Floats, Sequence[str]], dict[str, object]]  # one row, labels -> what the desk may show

    def uncertainty(self, probabilities: Floats) -> Floats:
        """(n,), one minus how sure the answer is; not finite where the row is not."""
        return np.asarray(1 - self.top(probabilities)[1])


def margins(probabilities: Floats) -> list[float] | None:
    """Of each row, the first probability minus the second; None where there is one label alone. (n, classes) -> n."""
    if probabilities.shape[1] < 2:
        return None
    two = np.partition(probabilities.astype(float), -2, axis=1)[:, -2:]
    return [float(each) for each in two[:, 1] - two[:, 0]]

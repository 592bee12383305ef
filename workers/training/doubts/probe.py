"""A linear probe: multinomial logistic regression on fixed vectors. It compares labels, not models."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

C = 10.0  # inverse strength of the penalty, as in the published active-learning comparisons we measure ourselves by
STEPS = 60  # L-BFGS iterations; on unit vectors the answers no longer change well before


def probe(
    vectors: NDArray[np.float32], classes: NDArray[np.int64], asked: NDArray[np.float32], n_classes: int, c: float = C
) -> NDArray[np.int64]:
    """Fit on vectors (n, dim) with classes (n,), answer for asked (m, dim) -> class indices (m,).

    The loss is that of scikit-learn's LogisticRegression: penalty |w|^2 / 2 plus C times the summed cross-entropy,
    the intercepts free. A single class among the labels is answered everywhere.
    """
    present = np.unique(classes)
    if len(present) == 1:
        return np.full(len(asked), present[0], np.int64)
    x, y = torch.from_numpy(np.ascontiguousarray(vectors, np.float32)), torch.from_numpy(classes.astype(np.int64))
    weight = torch.zeros(n_classes, x.shape[1], requires_grad=True)
    bias = torch.zeros(n_classes, requires_grad=True)
    absent = torch.ones(n_classes, dtype=torch.bool)
    absent[torch.from_numpy(present)] = False
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = (x @ weight.T + bias).masked_fill(absent, float("-inf"))
        loss = F.cross_entropy(logits, y) + weight.square().sum() / (2 * c * len(y))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.inference_mode():
        found = (torch.from_numpy(np.ascontiguousarray(asked, np.float32)) @ weight.T + bias).masked_fill(
            absent, float("-inf")
        )
        return np.asarray(found.argmax(dim=1).numpy(), dtype=np.int64)

"""What may be trained on: the checks before the first step, each refusal a sentence."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.training.models.bundle import Bundle
from workers.training.models.inputs import Rows
from workers.training.recipes import IncrementalRecipe, Recipe
from workers.training.refusals import BaseDoesNotFit, NothingToTrain, OneClassOnly, RowsUnreadable

Targets = Sequence[int] | NDArray[np.int64]


def checked_targets(rows: Rows, targets: Targets, labels: Sequence[str]) -> Tensor:
    y = np.asarray(targets, dtype=np.int64)
    if len(rows) != len(y):
        raise ValueError(f"{len(y)} targets do not fit {len(rows)} rows.")
    if len(y) == 0:
        raise NothingToTrain("There is no labeled example to train on.")
    if y.min() < 0 or y.max() >= len(labels):
        raise ValueError(f"A target lies outside the {len(labels)} labels.")
    if (y == y[0]).all():
        raise OneClassOnly(f"All {len(y):,} examples are labeled {labels[y[0]]!r}. Training needs two labels.")
    return torch.from_numpy(y.copy())


def checked_base(base: Bundle | None, recipe: Recipe) -> Bundle | None:
    """The model to start from; only an incremental run has one."""
    if not isinstance(recipe, IncrementalRecipe):
        return None
    if base is None:
        raise BaseDoesNotFit("An incremental run needs a model to start from. Start a full run first.")
    if base.task_type != recipe.task_type:
        raise BaseDoesNotFit(f"The model to start from does {base.task_type}, this run {recipe.task_type}.")
    return base


def readable(x: Tensor) -> Tensor:
    """(n,) which rows could be read."""
    return x.flatten(1).isfinite().all(dim=1)


def without_unreadable(
    x: Tensor, y: Tensor, labels: Sequence[str], tell: Callable[[list[int]], None]
) -> tuple[Tensor, Tensor]:
    """The rows that could be read; `tell` gets the places of the others. One broken row never stops a training.

    Raises RowsUnreadable where none is left, OneClassOnly.
    """
    whole = readable(x)
    if bool(whole.all()):
        return x, y
    if not bool(whole.any()):
        refuse_unreadable(x)
    tell((~whole).nonzero().flatten().tolist())
    return x[whole], checked_targets(x[whole].numpy(), y[whole].numpy(), labels)


def refuse_unreadable(x: Tensor) -> None:
    broken = (~readable(x)).nonzero().flatten()
    if len(broken):
        raise RowsUnreadable(f"{len(broken):,} of {len(x):,} rows cannot be read; the first is row {int(broken[0])}.")

"""What a table's run does once its network is trained: trees and a regression come beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workers.training.fit.admission import Targets, checked_targets
from workers.training.fit.beside import beside_again, put_beside
from workers.training.fit.leaks import leaking_columns
from workers.training.fit.members import Floats, Ints
from workers.training.fit.reports import Listeners
from workers.training.fit.steps import FitState
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle
from workers.training.models.inputs import Input, Rows, TabularInput
from workers.training.models.networks import TabularNet
from workers.training.recipes import SteppedRecipe
from workers.training.refusals import Canceled


@dataclass(frozen=True)
class RefitRows:
    """What an incremental run fits trees and regression on: rows (n), targets (n,), and how much each counts, or None."""

    rows: Rows
    targets: Targets
    weights: Sequence[float] | None = None


@dataclass(frozen=True)
class TableBlend:
    preprocessor: Input
    labels: tuple[str, ...]
    recipe: SteppedRecipe
    device: torch.device
    listeners: Listeners

    def blended(
        self,
        network: TabularNet,
        x: Tensor,
        y: Tensor,
        weights: Tensor | None,
        times: Sequence[float] | None,
        refit: RefitRows | None,
        base: Bundle | None,
    ) -> float | None:
        """The divisor of the blend, or None where the one of the network, or of the base, stands."""
        truth, counted = y.cpu().numpy(), None if weights is None else weights.cpu().double().numpy()
        if base is not None:
            self._again(network, base, *(self._read(refit) if refit is not None else (x, truth, counted)))
            return None
        self._warn(x, truth)
        return put_beside(
            network,
            x,
            truth,
            seed=self.recipe.seed,
            again=lambda places: self._logits(x, y, weights, places),
            loss=learner_named(self.recipe.task_type).outputs.loss,
            times=np.asarray(times, np.float64) if times is not None and len(times) == len(truth) else None,
            say=self.listeners.on_notice,
            weights=counted,
        )

    def _warn(self, x: Tensor, y: Ints) -> None:
        """Of columns that the model may not have when it is asked."""
        read = self.preprocessor
        if not isinstance(read, TabularInput):
            return
        names = tuple(name for name, _, _ in read.numbers), tuple(name for name, _ in read.categories)
        for column in leaking_columns(x.cpu(), y, *names, self.recipe.seed):
            self.listeners.on_notice(
                f"the column “{column.name[:80]}” alone says the label of {column.right:.1%} of rows held back: is it known "
                "before the label? If not, leave it out"
            )

    def _read(self, refit: RefitRows) -> tuple[Tensor, Ints, Floats | None]:
        y = checked_targets(refit.rows, refit.targets, self.labels).numpy()
        return (
            self.preprocessor.tensor(refit.rows),
            y,
            None if refit.weights is None else np.asarray(refit.weights, np.float64),
        )

    def _again(self, network: TabularNet, base: Bundle, x: Tensor, y: Ints, weights: Floats | None) -> None:
        assert isinstance(base.module, TabularNet)
        same = base.labels == self.labels
        if beside_again(network, base.module, x, y, seed=self.recipe.seed, same_labels=same, weights=weights):
            self.listeners.on_notice(
                f"trees and regression were fitted anew on {len(y):,} rows, blended as the base is"
            )

    def _logits(self, x: Tensor, y: Tensor, weights: Tensor | None, places: Ints) -> Tensor:
        """Of a network trained on these places, for all rows."""
        if self.listeners.should_stop():
            raise Canceled("Canceled while learners were compared.")
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.recipe.seed)
            fresh = self.preprocessor.network(self.recipe, len(self.labels)).to(self.device)
            generator = torch.Generator().manual_seed(self.recipe.seed)
            mine, truth = x[places].to(self.device), y[places].to(self.device)
            counted = None if weights is None else weights[torch.from_numpy(places).to(weights.device)]
            part = FitState(fresh, mine, truth, self.recipe, generator, weights=counted)
            part.run()
            return part.logits(x.to(self.device)).cpu()

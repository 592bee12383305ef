"""What a table's run does once its network is trained: trees and a regression come beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workers.training.fit.admission import Targets, checked_targets
from workers.training.fit.beside import beside_again, put_beside
from workers.training.fit.members import Ints
from workers.training.fit.reports import Listeners
from workers.training.fit.steps import FitState
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle
from workers.training.models.inputs import Input, Rows
from workers.training.models.networks import TabularNet
from workers.training.recipes import SteppedRecipe
from workers.training.refusals import Canceled


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
        times: Sequence[float] | None,
        refit: tuple[Rows, Targets] | None,
        base: Bundle | None,
    ) -> float | None:
        """The divisor of the blend, or None where the one of the network, or of the base, stands."""
        truth = y.cpu().numpy()
        if base is not None:
            rows = (x, truth) if refit is None else (self.preprocessor.tensor(refit[0]), self._targets(*refit))
            self._again(network, base, *rows)
            return None
        return put_beside(
            network,
            x,
            truth,
            seed=self.recipe.seed,
            again=lambda places: self._logits(x, y, places),
            loss=learner_named(self.recipe.task_type).outputs.loss,
            times=np.asarray(times, np.float64) if times is not None and len(times) == len(truth) else None,
            say=self.listeners.on_notice,
        )

    def _targets(self, rows: Rows, targets: Targets) -> Ints:
        return checked_targets(rows, targets, self.labels).numpy()

    def _again(self, network: TabularNet, base: Bundle, x: Tensor, y: Ints) -> None:
        assert isinstance(base.module, TabularNet)
        same = base.labels == self.labels
        if beside_again(network, base.module, x, y, seed=self.recipe.seed, same_labels=same):
            self.listeners.on_notice(
                f"trees and regression were fitted anew on {len(y):,} rows, blended as the base is"
            )

    def _logits(self, x: Tensor, y: Tensor, places: Ints) -> Tensor:
        """Of a network trained on these places, for all rows."""
        if self.listeners.should_stop():
            raise Canceled("Canceled while learners were compared.")
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.recipe.seed)
            fresh = self.preprocessor.network(self.recipe, len(self.labels)).to(self.device)
            generator = torch.Generator().manual_seed(self.recipe.seed)
            part = FitState(fresh, x[places].to(self.device), y[places].to(self.device), self.recipe, generator)
            part.run()
            return part.logits(x.to(self.device)).cpu()

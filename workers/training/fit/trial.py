"""One recipe tried: trained like a full run, heard after every epoch, judged on a slice of the training rows, not kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from workers.training.device import device_here
from workers.training.fit.admission import Targets, checked_targets, without_unreadable
from workers.training.fit.memory import out_of_memory
from workers.training.fit.reports import Listeners
from workers.training.fit.steps import FitState
from workers.training.fit.without_dynamo import keep_dynamo_out
from workers.training.learners import learner_named
from workers.training.models.inputs import Rows
from workers.training.recipes import TrialRecipe
from workers.training.refusals import MemoryTooSmall, NothingToTrain


@dataclass(frozen=True, slots=True)
class Epoch:
    """After one pass over the rows: mean log-loss in nats and accuracy on the rows held back."""

    number: int
    loss: float
    accuracy: float


class Tried(FitState):
    """A training that tells of each epoch. What `on_epoch` raises ends it."""

    on_epoch: Callable[[Epoch], None]

    def _end_epoch(self) -> None:
        super()._end_epoch()
        assert self.validation is not None
        self.on_epoch(Epoch(self.epoch, *self.evaluate(*self.validation)))


def try_recipe(
    rows: Rows,
    targets: Targets,
    labels: Sequence[str],
    recipe: TrialRecipe,
    *,
    on_epoch: Callable[[Epoch], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> Epoch:
    """The epoch with the least loss. Every trial of a seed is judged on the same rows, whatever its recipe.

    Raises NothingToTrain, OneClassOnly, RowsUnreadable, MemoryTooSmall, Canceled, and whatever `on_epoch` raises.
    """
    keep_dynamo_out()
    y = checked_targets(rows, targets, labels)
    preprocessor = learner_named(recipe.task_type).input.fit(rows)
    x = preprocessor.tensor(rows)
    x, y = without_unreadable(x, y, labels, lambda places: None)  # the run of the best recipe names them
    heard: list[Epoch] = []

    def hear(epoch: Epoch) -> None:
        heard.append(epoch)
        on_epoch(epoch)

    device = device_here()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(recipe.seed)
            module = preprocessor.network(recipe, len(labels)).to(device)
            training = Tried(module, x.to(device), y.to(device), recipe, torch.Generator().manual_seed(recipe.seed))
            if training.validation is None:
                raise NothingToTrain(f"{len(y):,} examples are too few to hold some back and compare recipes on them.")
            training.on_epoch = hear
            training.listeners = Listeners(should_stop=should_stop)
            training.run()
    except (RuntimeError, MemoryError) as fault:
        if out_of_memory(fault):
            raise MemoryTooSmall(f"The rows and the model do not fit into the memory: {fault}") from fault
        raise
    return min(heard, key=lambda epoch: epoch.loss)

"""The processes that train one model together. Alone there is one, and nothing here costs it anything."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn


class Ranks:
    """Which of `world` processes this is. Each computes its share of every batch; the gradients are averaged."""

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank, self.world = rank, world
        self._wrapped: Any = None

    @property
    def tells(self) -> bool:
        """Whether this process reports, keeps checkpoints and decides."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module whose backward pass averages the gradients over all processes."""
        if self.world == 1:
            return module
        from torch.nn.parallel import DistributedDataParallel

        self._wrapped = DistributedDataParallel(module)
        return self._wrapped  # type: ignore[no-any-return]

    def share(self, batch: Tensor) -> tuple[Tensor, float]:
        """This process's rows of a batch and what they weigh: a process without a row lends one that weighs nothing."""
        mine = batch[self.rank :: self.world]
        return (mine, 1.0) if len(mine) else (batch[:1], 0.0)

    def sharing(self, *, last: bool) -> AbstractContextManager[None]:
        """Only the last part of a batch sends gradients; those before it add up where they are."""
        if self._wrapped is None or last:
            return nullcontext()
        return self._wrapped.no_sync()  # type: ignore[no-any-return]

    def agreed(self, number: float, device: torch.device) -> float:
        """The first process's number, in all: two that round differently must not decide differently."""
        if self.world == 1:
            return number
        told = torch.tensor(number, dtype=torch.float64, device=device)
        torch.distributed.broadcast(told, src=0)
        return told.item()

    def summed(self, number: Tensor) -> Tensor:
        if self.world > 1:
            torch.distributed.all_reduce(number)
        return number

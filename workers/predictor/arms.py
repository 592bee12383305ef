"""What a project's requests are answered with: loaded models, which of them serve beside each other, and one answer."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from apps.releases.selectors import Route
from apps.rules.rollouts.arms import Arm
from workers.predictor.answers import Floats, TensorRequest, predicted, readable, rows_of
from workers.predictor.batches import Batcher, encoding
from workers.training.models.bundle import Bundle
from workers.training.models.inputs import Rows
from workers.training.models.words import TextRows

READ_HERE = (
    64  # values; a request of more is read in a thread, since other requests and health checks wait for the loop
)


@dataclass(frozen=True)
class LoadedModel:
    """What a request is answered with, from its first line to its last."""

    bundle: Bundle
    version: int
    project_id: int
    artifact_url: str
    batcher: Batcher = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "batcher", Batcher(partial(predicted, self.bundle), self.bundle.task_type))

    async def ask(self, request: TensorRequest) -> Floats:
        """Probabilities (n, classes), together with whoever else waits. Raises InvalidInput, and whatever the model raises."""
        if sum(_length(tensor.data) for tensor in request.inputs) <= READ_HERE:
            payloads = rows_of(self.bundle, request)
        else:
            payloads = await asyncio.get_running_loop().run_in_executor(None, rows_of, self.bundle, request)
        rows: Rows = payloads
        if self.bundle.learner.reads_vectors:
            rows = TextRows(await encoding(self.bundle.encoder).ask(payloads), payloads)
        return readable(await self.batcher.ask(rows))


def _length(data: Any) -> int:
    return len(data) if hasattr(data, "__len__") else 1


@dataclass(frozen=True)
class ServingArms:
    """The champion, and beside it the version of a rollout once it is loaded."""

    champion: LoadedModel
    canary: LoadedModel | None = None
    route: Route | None = None


@dataclass(frozen=True)
class ArmAnswer:
    """What one arm said to one request."""

    model: LoadedModel
    arm: Arm
    labels: list[str]
    confidence: list[float]
    probabilities: Floats
    latency_ms: float

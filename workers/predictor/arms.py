"""What a project's requests are answered with: loaded models, which of them serve beside each other, and one answer."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apps.releases.selectors import Route
from apps.rules.rollouts.arms import Arm
from workers.predictor.batches import Batcher
from workers.training.models.bundle import Bundle


@dataclass(frozen=True)
class LoadedModel:
    """What a request is answered with, from its first line to its last."""

    bundle: Bundle
    version: int
    project_id: int
    artifact_url: str
    batcher: Batcher = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "batcher", Batcher(self.bundle))


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
    probabilities: NDArray[np.float32]
    latency_ms: float

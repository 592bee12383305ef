"""What gates read beyond metrics: single rows of the holdout, columns of what was learned from and comes in, a trial of serving."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class HoldoutRows:
    """What both models said of each holdout example; probabilities (n, classes), a column a label.

    `columns` are values by the names that the policy asks for, None where an example has none; `views` say of each saved
    filter that it asks for which examples it holds.
    """

    example_ids: Ints
    truth: Ints
    candidate: Floats
    champion: Floats | None
    labels: tuple[str, ...]
    seed: int = 0
    columns: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    views: Mapping[str, Bools] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def finite(self) -> bool:
        champion = self.champion is None or bool(np.isfinite(self.champion).all())
        return champion and bool(np.isfinite(self.candidate).all())

    def right(self, probabilities: Floats) -> Bools:
        """(n,) whether the most probable label is the truth."""
        return np.asarray(probabilities.argmax(axis=1) == self.truth)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnValues:
    """Values by column of two sets of examples: those the model learned from, and the newest that came in."""

    learned: Mapping[str, tuple[Any, ...]]
    incoming: Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ServingTrial:
    """The predictor's own code in a process of its own. `error` says why there are no figures, where there are none."""

    error: str = ""
    requests: int = 0
    p95_ms: float = 0.0
    peak_mb: float = 0.0
    load_s: float = 0.0
    unlike: int = 0  # answers that differ from those that were judged


@dataclass(frozen=True, slots=True)
class GateReads:
    """What a policy needs to be fetched before its gates can judge."""

    columns: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()
    values: bool = False  # of what was learned from and what comes in
    serving_requests: int = 0  # of the trial; 0 is none
    serving_timeout_s: float = 0.0
    sensitive: bool = False  # columns that the project marks so

    def __or__(self, other: "GateReads") -> "GateReads":
        return GateReads(
            self.columns | other.columns,
            self.views | other.views,
            self.values or other.values,
            max(self.serving_requests, other.serving_requests),
            max(self.serving_timeout_s, other.serving_timeout_s),
            self.sensitive or other.sensitive,
        )

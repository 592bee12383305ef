"""What monitors read of a window, beside the same of the reference: predictions, columns, vectors, volume, losses, groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]


class MonitorNeed(StrEnum):
    """What has to be fetched for a monitor."""

    PREDICTIONS = "predictions"
    COLUMNS = "columns"
    VECTORS = "vectors"
    VOLUME = "volume"
    LOSSES = "losses"
    GROUPS = "groups"
    PAST_ESTIMATES = "past-estimates"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """First labels (n,) as class indices, and their probabilities (n,). `margins` (n,) to the second label, NaN where unknown."""

    classes: Ints
    confidences: Floats
    margins: Floats | None = None

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnPair:
    """Values by column of the examples that the champion learned from, and of what the window asked about."""

    reference: Mapping[str, Sequence[Any]]
    window: Mapping[str, Sequence[Any]]

    @property
    def n_window(self) -> int:
        return max((len(values) for values in self.window.values()), default=0)


@dataclass(frozen=True, slots=True, eq=False)
class VectorPair:
    """(n, d) of the examples that the champion learned from, (m, d) of what the window asked about.

    `encoder` made both; without one they are simpler ones, and `fell_back` says why.
    """

    reference: Floats
    window: Floats
    encoder: str = ""
    fell_back: str = ""


@dataclass(frozen=True, slots=True)
class VolumeHistory:
    """Requests of the window's hours, of the same hours of `past` weeks (or days, where there are no two weeks yet), and of every
    hour of them, by which it is known how much they differ anyway."""

    hours: float
    now: int
    past: tuple[int, ...]
    spread: tuple[tuple[int, ...], ...] = ()  # windows as long as this one: (counts at the same hours), ...


@dataclass(frozen=True, slots=True, eq=False)
class LossStream:
    """1 wrong, 0 right, in the order of the answers, since the champion serves or an alarm was resolved.

    The last `fresh` of them are of this window; `a_month` is how many come in 30 days.
    """

    wrong: Ints
    fresh: int
    reference_wrong: int
    reference_answers: int
    a_month: float


@dataclass(frozen=True, slots=True, eq=False)
class GroupRows:
    """Who asked, by column, with what was said of them; class indices (n,), and whether it was wrong where that is known."""

    groups: Mapping[str, Sequence[Any]]
    answered: Ints
    wrong: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GroupPair:
    """`judged` are rows of an earlier window whose labels are mature; None where none came back."""

    reference: GroupRows
    window: GroupRows
    judged: GroupRows | None = None


@dataclass(frozen=True, slots=True)
class PastEstimate:
    """What was estimated of a window without labels, and what its feedback said once it was mature."""

    estimated: float
    measured: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class MonitorEvidence:
    """Of one window and its reference; what no monitor of the policy reads is not there.

    `labels` are the names of the class indices; `right` says of each prediction of the reference whether it was the truth.
    """

    reference: Predictions
    window: Predictions
    labels: Sequence[str] = ()
    right: Ints | None = None
    columns: ColumnPair | None = None
    vectors: VectorPair | None = None
    volume: VolumeHistory | None = None
    losses: LossStream | None = None
    groups: GroupPair | None = None
    past: tuple[PastEstimate, ...] = field(default=())

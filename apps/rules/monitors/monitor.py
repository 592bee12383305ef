"""What a monitor is: evidence of one window in, what it measured of each feature out, and what chance alone would make of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from apps.rules.column_fields import least_rows_field
from apps.rules.monitors.evidence import Floats, MonitorEvidence, MonitorNeed
from apps.rules.monitors.nearest import Feature, RequestSeen
from apps.rules.policies import PolicyPart
from apps.rules.sentences import term


class Severity(StrEnum):
    """What comes in warns; what was answered wrongly alarms."""

    WARNS = "warns"
    ALARMS = "alarms"


class MonitorCause(StrEnum):
    """What alarms of several monitors have in common: one alert tells of all columns of one broken upstream."""

    DRIFT = "drift"
    QUALITY = "data-quality"
    VOLUME = "volume"
    LOSS = "loss"
    GROUPS = "groups"

    @property
    def words(self) -> str:
        return CAUSES[self]


CAUSES = {
    MonitorCause.DRIFT: term("Drift"),
    MonitorCause.QUALITY: term("Data quality"),
    MonitorCause.VOLUME: term("Volume"),
    MonitorCause.LOSS: term("Wrong answers"),
    MonitorCause.GROUPS: term("Groups over time"),
}


class MonitorParameters(PolicyPart):
    """What a project sets of a monitor. Each field has a `title` and may have a `description`: pages make forms of them."""


OF_BOTH = "Of the window and of the reference, to tell anything."


class RowsParameters(MonitorParameters):
    least_rows: int = least_rows_field(50, OF_BOTH, least=2)


class CannotTell(Exception):
    """There is too little to tell by; the sentence says of what."""


class NothingToRead(Exception):
    """What the monitor reads is not there at all, so it is off; the sentence says what would switch it on."""


@dataclass(frozen=True, slots=True)
class Chance:
    """How distances by chance are drawn: `draws` times, of as many windows one after the other as persistence looks at."""

    draws: int
    windows: int
    rng: np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMeasure:
    """One feature of a window. `value` is 0 where it is as it was; `reason` says what moved, without a full stop.

    Either `by_chance` (draws, windows) holds the values of undrifted windows, or `p_value` is known exactly. `parts` are the shares
    of reference and window, for a picture: {"names": [...], "reference": [...], "window": [...]}.
    """

    name: str
    value: float
    reason: str
    by_chance: Floats | None = None
    p_value: float | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeatureReading:
    """As it is kept: the value against its own threshold, which an undrifted feature passes at the level of the reading."""

    name: str
    value: float
    threshold: float | None
    p_value: float
    drifted: bool
    reason: str
    parts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WindowJudgment:
    """`score` is higher the less the window is like the reference; the window is raised where it reaches its threshold.

    `thresholds` are by the factor that the monitor's share of the budget is multiplied with, so that it can be replayed.
    """

    score: float
    thresholds: Mapping[float, float]
    features: tuple[FeatureReading, ...]
    n_window: int = 0
    onset: int = 0  # how many rows of the window had come when it was raised; 0 where that is not known

    @property
    def threshold(self) -> float:
        return self.thresholds[1.0]

    @property
    def raised(self) -> bool:
        return self.score >= self.threshold

    @property
    def drifted(self) -> tuple[FeatureReading, ...]:
        return tuple(each for each in self.features if each.drifted)


@dataclass(frozen=True, slots=True)
class WindowTarget:
    """How rarely a window may end in an alarm by chance, and how many of how many windows an alarm needs."""

    per_window: float
    of_windows: int = 1  # the newest so many are looked at,
    raised_windows: int = 1  # and so many of them are raised
    draws: int = 1000
    seed: int = 0


Measure = Callable[[MonitorEvidence, Any, Chance], Sequence[FeatureMeasure]]
Judge = Callable[[MonitorEvidence, Any, WindowTarget], WindowJudgment]
Nearest = Callable[[Feature, Sequence[RequestSeen]], Floats]


@dataclass(frozen=True, slots=True)
class DriftMonitor:
    """One type of monitor. `measure` compares a window with the reference and raises CannotTell or NothingToRead in words.

    `judge` stands in for it where a monitor keeps the budget by a rule of its own: one on a stream. `standing` ones look where
    a project has no policy. `nearest` says which requests of a window show what moved in a feature, 0 for those that do not; where
    there is none, all of them are as near.
    """

    name: str
    title: str
    measure: Measure
    parameters: type[MonitorParameters] = RowsParameters
    severity: Severity = Severity.WARNS
    needs: frozenset[MonitorNeed] = frozenset({MonitorNeed.PREDICTIONS})
    standing: bool = False
    window_hours: float = 24
    judge: Judge | None = None
    cause: MonitorCause = MonitorCause.DRIFT
    nearest: Nearest | None = None
    slide_hours: float | None = None  # windows that are longer begin so often; None: end to end

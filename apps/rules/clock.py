"""The clock of the loop: where a label's time went between collection and the model that serves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STAGES = ("collect", "annotate", "train", "evaluate", "deploy")
TICK = 1024  # seconds are kept to 1/1024, which floats add without error, so parts always sum to their total
SHOWN = 0.90  # the label whose way is shown: nine of ten were faster or as fast
LEAST_LAPS = 3  # fewer say nothing about spread


@dataclass(frozen=True, slots=True)
class StageTime:
    stage: str
    wait_s: float
    work_s: float

    @property
    def total_s(self) -> float:
        return self.wait_s + self.work_s


@dataclass(frozen=True, slots=True)
class LapSummary:
    """`shown` is the way of one real label, the one at the 90th percentile: its parts add up to p90_s exactly."""

    count: int
    p50_s: float
    p90_s: float
    max_s: float
    shown: tuple[StageTime, ...]
    medians: tuple[StageTime, ...]
    waiting_share: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the open lap will close, as its whole length; low and high hold 80 % of the draws."""

    expected_s: float
    low_s: float
    high_s: float
    breach_chance: float


@dataclass(frozen=True, slots=True)
class NoForecast:
    reason: str


def lap(timelines: Mapping[str, tuple[Floats, Floats]]) -> LapSummary:
    """Sum up n labels. timelines: stage -> (wait_s (n,), work_s (n,)); a missing stage took no time.

    Negative intervals, the mark of two clocks that disagree, count as 0. Raises ValueError without labels, for a stage
    that is not in STAGES, and for a time that is not finite.
    """
    wait, work = _grid(timelines, 0), _grid(timelines, 1)
    total = (wait + work).sum(axis=0)
    order = np.argsort(total, kind="stable")
    n = len(total)
    at90 = order[nearest_rank(n, SHOWN)]
    return LapSummary(
        count=n,
        p50_s=float(total[order[nearest_rank(n, 0.5)]]),
        p90_s=float(total[at90]),
        max_s=float(total[order[-1]]),
        shown=_stages(wait[:, at90], work[:, at90]),
        medians=_stages(np.median(wait, axis=1), np.median(work, axis=1)),
        waiting_share=float(wait.sum() / total.sum()) if total.sum() else 0.0,
    )


def nearest_rank(n: int, share: float) -> int:
    """Index of the nearest-rank percentile in n sorted values.

    >>> nearest_rank(10, 0.90), nearest_rank(11, 0.90), nearest_rank(1, 0.5)
    (8, 9, 0)
    """
    return max(ceil(round(n * share, 9)) - 1, 0)


def cause(summary: LapSummary) -> str:
    """The stage that took most of the shown label's time; the earlier one of two equals."""
    return max(summary.shown, key=lambda part: part.total_s).stage


def stage_totals(summary: LapSummary) -> dict[str, float]:
    """Stage -> seconds of the shown label: the history that `forecast` draws from."""
    return {part.stage: part.total_s for part in summary.shown}


def forecast(
    open_age_s: float,
    stage: str,
    history: Sequence[Mapping[str, float]],
    target_s: float,
    *,
    in_stage_s: float = 0.0,
    seed: int = 0,
    draws: int = 1000,
) -> Forecast | NoForecast:
    """How long the open lap will be: its age, the rest of its stage and the later stages as in past laps.

    history holds one mapping (stage -> seconds) a past lap. Each stage is drawn from the laps on its own; of the
    current stage the `in_stage_s` already spent are taken off.
    """
    if stage not in STAGES:
        raise ValueError(f"No stage is called {stage!r}. Known: {', '.join(STAGES)}.")
    if len(history) < LEAST_LAPS:
        return NoForecast(f"A forecast needs {LEAST_LAPS} finished laps; there are {len(history)}.")
    rng = np.random.default_rng(seed)
    left = STAGES[STAGES.index(stage) :]
    past = np.array([[past_lap.get(name, 0.0) for name in left] for past_lap in history], dtype=np.float64)
    drawn = np.take_along_axis(past, rng.integers(len(past), size=(draws, len(left))), axis=0)
    drawn[:, 0] = np.maximum(drawn[:, 0] - in_stage_s, 0)
    whole = open_age_s + drawn.sum(axis=1)
    low, middle, high = np.percentile(whole, (10, 50, 90))
    return Forecast(float(middle), float(low), float(high), float((whole > target_s).mean()))


def _grid(timelines: Mapping[str, tuple[Floats, Floats]], part: int) -> Floats:
    """(stages, n) seconds, clipped at 0 and kept to 1/1024 s."""
    strange = set(timelines) - set(STAGES)
    if strange:
        raise ValueError(f"No stage is called {', '.join(sorted(strange))}. Known: {', '.join(STAGES)}.")
    n = max((len(pair[part]) for pair in timelines.values()), default=0)
    if n == 0:
        raise ValueError("A lap needs at least one label.")
    nothing = (np.zeros(n), np.zeros(n))
    rows = np.stack([np.asarray(timelines.get(name, nothing)[part], dtype=np.float64) for name in STAGES])
    grid = np.round(np.maximum(rows, 0) * TICK) / TICK
    if not np.isfinite(grid).all():
        raise ValueError("A stage holds a time that is not a number.")
    return np.asarray(grid, dtype=np.float64)


def _stages(wait: Floats, work: Floats) -> tuple[StageTime, ...]:
    return tuple(StageTime(name, float(w), float(k)) for name, w, k in zip(STAGES, wait, work, strict=True))

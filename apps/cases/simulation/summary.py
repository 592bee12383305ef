"""What several seeds say together: a mean with its interval, or why there is none."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf, sqrt
from statistics import fmean, stdev
from typing import Any

from apps.rules.words import count

# Student's t, 97.5 %, for 1 to 30 degrees of freedom (any table); beyond it the normal 1.96 plus what is left
T = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
    2.131,
    2.120,
    2.110,
    2.101,
    2.093,
    2.086,
    2.080,
    2.074,
    2.069,
    2.064,
    2.060,
    2.056,
    2.052,
    2.048,
    2.045,
    2.042,
)


@dataclass(frozen=True)
class Mean:
    """Over `seeds` values with a 95 % t-interval; what is undefined is None, and then `reason` says why."""

    mean: float | None
    low: float | None
    high: float | None
    seeds: int
    reason: str = ""


@dataclass(frozen=True)
class Played:
    """What one seed gave: its round lines, and the labels at which it reached the score, if one was asked for."""

    seed: int
    project: str
    lines: tuple[dict[str, Any], ...]
    labels_needed: int | None = None

    @property
    def labels(self) -> int:
        return int(self.lines[-1]["labels"]) if self.lines else 0

    @property
    def accuracy(self) -> float | None:
        last: float | None = self.lines[-1]["accuracy"] if self.lines else None
        return last

    @property
    def best_accuracy(self) -> float | None:
        return max((x["accuracy"] for x in self.lines if x["accuracy"] is not None), default=None)


def mean_of(values: Sequence[float], *, digits: int = 4, most: float = 1.0) -> Mean:
    """The mean and mean ± t s / sqrt(n), cut at 0 and `most`, where the values end too; rounded to so many digits."""
    if not values:
        return Mean(None, None, None, 0, "No seed has a value here.")
    middle = fmean(values)
    if len(values) == 1:
        return Mean(round(middle, digits), None, None, 1, "One seed gives no interval.")
    freedom = len(values) - 1
    t = T[freedom - 1] if freedom <= len(T) else 1.96 + 2.4 / freedom
    half = t * stdev(values) / sqrt(len(values))
    low, high = max(middle - half, 0.0), min(middle + half, most)
    return Mean(round(middle, digits), round(low, digits), round(high, digits), len(values))


def labels_needed(played: Sequence[Played]) -> Mean:
    """Over all seeds or none: leaving out those that never reached the score would flatter."""
    found = [p.labels_needed for p in played if p.labels_needed is not None]
    missing = len(played) - len(found)
    if missing:
        told = f"{count(missing, 'seed')} of {len(played)} did not reach the score, so a mean would flatter."
        return Mean(None, None, None, len(found), told)
    return mean_of(found, digits=1, most=inf)


def by_round(played: Sequence[Played]) -> list[dict[str, Any]]:
    """For each round that some seed played: mean labels and the accuracy with its interval."""
    found = []
    for number in range(1, max((len(p.lines) for p in played), default=0) + 1):
        lines = [p.lines[number - 1] for p in played if len(p.lines) >= number]
        accuracy = mean_of([x["accuracy"] for x in lines if x["accuracy"] is not None])
        labels = fmean(x["labels"] for x in lines)
        found.append({"round": number, "labels": round(labels, 1), "accuracy": asdict(accuracy)})
    return found

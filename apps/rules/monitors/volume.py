"""Whether as many requests come as at the same hours of past weeks: what has stopped asking tells of no other drift."""

from math import sqrt
from typing import Literal

import numpy as np
from pydantic import Field

from apps.rules.monitors.evidence import MonitorEvidence, MonitorNeed
from apps.rules.monitors.monitor import (
    CannotTell,
    Chance,
    DriftMonitor,
    FeatureMeasure,
    MonitorCause,
    MonitorParameters,
    NothingToRead,
)
from apps.rules.sentences import sentence
from apps.rules.words import count


class VolumeParameters(MonitorParameters):
    usual_least: int = Field(
        20, ge=1, le=1_000_000, title="Least usual requests", description="Hours in which fewer are usual tell nothing."
    )
    factor: float = Field(
        1.0,
        ge=1,
        le=100,
        title="Times fewer or more",
        description="What is nearer to the usual does not count: 2 is half of it, or double.",
    )
    direction: Literal["fewer", "either"] = Field(
        "fewer", title="Direction", json_schema_extra={"words": {"fewer": "Fewer alone", "either": "Fewer or more"}}
    )


def _measure(of: MonitorEvidence, parameters: VolumeParameters, chance: Chance) -> list[FeatureMeasure]:
    volume = of.volume
    if volume is None or len(volume.past) < 2:
        raise NothingToRead(sentence("Two earlier weeks, or days, are needed to know what is usual."))
    usual = float(np.mean(volume.past))
    if usual < parameters.usual_least:
        raise CannotTell(
            sentence(
                "Only {requests} are usual at these hours; {least} are needed to tell.",
                requests=count(round(usual), "request"),
                least=parameters.usual_least,
            )
        )
    spread = spread_of([*volume.spread, volume.past])
    fewer = chance_of_count(volume.now, usual, spread, len(volume.past))
    more = 1 - chance_of_count(volume.now - 1, usual, spread, len(volume.past))
    p_value = fewer if parameters.direction == "fewer" else min(2 * min(fewer, more), 1.0)
    if usual / parameters.factor < volume.now < usual * parameters.factor:
        p_value = 1.0
    said = count(volume.now, "request") if volume.now else sentence("no request")
    reason = sentence(
        "{said} for {hours:g} h where {usual:,} are usual", said=said, hours=volume.hours, usual=round(usual)
    )
    shown = {"names": [sentence("requests")], "reference": [usual], "window": [float(volume.now)]}
    return [FeatureMeasure("volume", abs(volume.now - usual) / usual, reason, p_value=p_value, parts=shown)]


def spread_of(same_hours: list[tuple[int, ...]]) -> float:
    """The variance of a count over its mean squared, beyond Poisson's: 0 where counts differ no more than chance makes them.

    By moments over all hours, since a few weeks of one hour tell little; with the upper end of its own error, as the hours are few.
    """
    excess, weight = 0.0, 0.0
    for counts in same_hours:
        if len(counts) < 2 or sum(counts) == 0:
            continue
        mean, variance = float(np.mean(counts)), float(np.var(counts, ddof=1))
        excess += (len(counts) - 1) * (variance - mean)
        weight += (len(counts) - 1) * mean * mean
    degrees = sum(len(counts) - 1 for counts in same_hours if len(counts) > 1)
    found = max(excess / weight, 0.0) if weight else 0.0
    return found * (1 + 2 * sqrt(2 / degrees)) if degrees else found


def chance_of_count(number: int, usual: float, spread: float, times: int) -> float:
    """The chance of so many or fewer, where the mean of so many times was `usual`: negative binomial, with the mean's own error."""
    from scipy.stats import nbinom, poisson

    variance = usual + spread * usual * usual
    variance += variance / times
    if variance <= usual * (1 + 1e-9):
        return float(poisson.cdf(number, usual))
    return float(nbinom.cdf(number, usual * usual / (variance - usual), usual / variance))


VOLUME = DriftMonitor(
    "volume",
    "Volume",
    _measure,
    parameters=VolumeParameters,
    needs=frozenset({MonitorNeed.VOLUME}),
    standing=True,
    cause=MonitorCause.VOLUME,
    window_hours=3,
    slide_hours=1,
)

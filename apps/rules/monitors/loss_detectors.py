"""What looks at a stream of losses one by one: our own scan, and river's detectors with settings that keep the budget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from math import log10
from typing import Any

import numpy as np

from apps.rules.monitors.evidence import Ints
from apps.rules.monitors.loss_scan import LossReference, longest_stretch, rises, threshold

SIMULATED, LENGTH = 10, 5_000  # streams without a change, and the losses of one, by which river's settings are chosen


@dataclass(frozen=True, slots=True)
class LossLook:
    """`at` is how many of the fresh losses had come when it was raised, `stretch` over how many of the newest the rate rose."""

    score: float
    thresholds: Mapping[float, float]
    at: int = 0
    stretch: int = 0


@dataclass(frozen=True, slots=True)
class LossDetector:
    """`looked` takes all losses, how many are fresh, the reference, and how often it may be wrong a loss, by factor."""

    looked: Callable[[Ints, int, LossReference, Mapping[float, float], int], LossLook]


def scanned(wrong: Ints, fresh: int, reference: LossReference, per_loss: Mapping[float, float], seed: int) -> LossLook:
    thresholds = {f: threshold(reference, per_loss=each, seed=seed) for f, each in per_loss.items()}
    places, scores = rises(wrong, reference)
    new = places > len(wrong) - fresh
    if not new.any():
        return LossLook(0.0, thresholds)
    places, scores = places[new], scores[new]
    passed = np.flatnonzero(scores >= thresholds[1.0])
    end = int(places[passed[0] if len(passed) else scores.argmax()])
    at = end - (len(wrong) - fresh) if len(passed) else 0
    return LossLook(float(scores.max()), thresholds, at, longest_stretch(wrong[:end], reference))


def laddered(
    name: str, wrong: Ints, fresh: int, reference: LossReference, per_loss: Mapping[float, float], seed: int
) -> LossLook:
    """The score is the strictest setting that found a change in the fresh losses, counted from 1."""
    counts = _false_by_setting(name, round(reference.wrong / reference.answers, 2))
    bounds = [(count + 1) / (SIMULATED * LENGTH) for count in counts]
    rungs = len(bounds)
    thresholds = {f: float(next((i for i, b in enumerate(bounds, 1) if b <= e), rungs)) for f, e in per_loss.items()}
    begin = len(wrong) - fresh
    found = [[at for at in _alarms(made(), wrong) if at > begin] for made in LADDERS[name]]
    score = max((i for i, ats in enumerate(found, 1) if ats), default=0)
    asked = found[int(thresholds[1.0]) - 1]
    return LossLook(float(score), thresholds, asked[0] - begin if asked else 0)


def by_its_own_chance(
    wrong: Ints, fresh: int, reference: LossReference, per_loss: Mapping[float, float], seed: int
) -> LossLook:
    """KSWIN tests at each loss: its level is how often it may be wrong a loss."""
    from river.drift import KSWIN

    thresholds = {f: -log10(max(each, 1e-300)) for f, each in per_loss.items()}
    detector, begin, score, at = KSWIN(alpha=max(per_loss[1.0], 1e-300), seed=seed), len(wrong) - fresh, 0.0, 0
    for place, loss in enumerate(wrong, 1):
        detector.update(float(loss))
        tested = detector.drift_detected or len(detector.window) == detector.window_size
        if place <= begin or not tested:
            continue
        score = max(score, -log10(max(detector.p_value, 1e-300)))
        at = at or (place - begin if detector.drift_detected else 0)
    return LossLook(score, thresholds, at)


def _alarms(detector: Any, wrong: Ints) -> list[int]:
    """After how many losses it found that they rose; river's ADWIN and Page-Hinkley begin anew by themselves."""
    found, total = [], 0.0
    for place, loss in enumerate(wrong, 1):
        detector.update(float(loss))
        total += float(loss)
        if detector.drift_detected:
            newest = wrong[max(0, place - 200) : place].mean()
            if newest >= total / place:  # what fell is no alarm
                found.append(place)
    return found


def _adwin(delta: float) -> Any:
    from river.drift import ADWIN

    return ADWIN(delta=delta)


def _page_hinkley(limit: float) -> Any:
    from river.drift import PageHinkley

    return PageHinkley(threshold=limit, mode="up")


def _hddm_w(chance: float) -> Any:
    from river.drift.binary import HDDMW

    return HDDMW(drift_confidence=chance, warning_confidence=min(5 * chance, 0.5))


# From river's own setting on, ever stricter.
LADDERS: dict[str, tuple[Callable[[], Any], ...]] = {
    "adwin": tuple(partial(_adwin, each) for each in (0.002, 0.0005, 1e-4, 1e-5, 1e-7)),
    "page-hinkley": tuple(partial(_page_hinkley, each) for each in (30, 50, 70, 100, 150, 250)),
    "hddm-w": tuple(partial(_hddm_w, each) for each in (1e-3, 3e-4, 1e-4, 1e-5, 1e-6)),
}


@lru_cache(maxsize=64)
def _false_by_setting(name: str, rate: float) -> tuple[int, ...]:
    """Alarms of each setting on the same undrifted streams."""
    rng = np.random.default_rng(0)
    streams = [(rng.random(LENGTH) < rate).astype(np.int64) for _ in range(SIMULATED)]
    return tuple(sum(len(_alarms(made(), stream)) for stream in streams) for made in LADDERS[name])


DETECTORS: dict[str, LossDetector] = {
    "scan": LossDetector(scanned),
    **{name: LossDetector(partial(laddered, name)) for name in LADDERS},
    "kswin": LossDetector(by_its_own_chance),
}

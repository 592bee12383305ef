"""How many labels each strategy needs to reach the score that random reaches, through the pure selection code.

Protocol: sentence vectors of MiniLM, or 64 principal components of the pixels fitted on train rows; multinomial logistic
regression, C = 10, trained after each batch; accuracy on the test split, which nothing else looks at.

"Labels needed": the target is random's accuracy at its budget (1,000 labels, or half the train rows), the mean over
seeds. A strategy needs as many labels as its own mean curve over the same seeds takes to get there, on a straight line
between two trainings. The mean is crossed rather than each seed's own curve, since a curve that wavers crosses too
early by luck: seed by seed random itself "needs" far less than its budget. What is left of that luck shows in the row
of random, which is counted like the others and would be 1.00 without it. The interval resamples the seeds, of strategy
and random alike, 1,000 times. Each strategy may go on to 1.5 times random's budget, so that needing more shows; null
stands for more than that.

"default" is what the product does untouched: typical examples until the model foretells answers better than their most
common label would (apps/rules/acquisition/phase.py), then the default strategy.

The default was chosen with --validate, which never reads a test row: a fifth of the train rows, drawn anew for each
seed, takes the place of the test split; on youtube_spam it is one of the four train videos, since its test is a fifth.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError
from numpy.typing import NDArray

from apps.rules.acquisition import (
    DEFAULT,
    START,
    STRATEGIES,
    CandidateScores,
    LabeledVectors,
    Need,
    Strategy,
    choose,
    shortlist,
)
from apps.rules.acquisition.phase import PhaseEvidence, evidence_of, phase_of
from tests.bench._learner import Learner
from tests.bench._sets import Arena, LabeledFile, labeled_file

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Say = Callable[[str], None]
MOST, PAST = 1000, 1.5  # random's budget; how much farther the others may go
FIRST = 10  # labels at the start, or one a class where there are more classes
RESAMPLED = 1000
MEMBERS, DROPPED = 10, 0.5  # of the ensemble that BALD asks: the learner without half of its inputs (Gal et al. 2017)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", nargs="+", type=Path, help="Parquet files with label, split, and text or image, or digits"
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--strategies", default="", help="names with commas between them; all when left out")
    parser.add_argument(
        "--validate", action="store_true", help="report on a part of the train rows, never on test rows"
    )
    parser.add_argument("--jobs", type=int, default=2, help="strategies played at the same time")


def run(
    *, say: Say, source: Sequence[Path], seeds: int, strategies: str = "", validate: bool = False, jobs: int = 1
) -> dict[str, Any]:
    """One set gives its own table; several give one table each under "sets", and the default's mean fraction."""
    if seeds < 1 or jobs < 1:
        raise CommandError("--seeds and --jobs are at least 1.")
    files = [labeled_file(path) for path in source]
    names = [name for name in strategies.split(",") if name] or ["default", *STRATEGIES]
    for name in set(names) - {"default", *STRATEGIES}:
        raise CommandError(f"No strategy is called {name}. There are default, {', '.join(STRATEGIES)}.")
    found = {file.name: _measured(file, names, seeds, validate, jobs, say) for file in files}
    if len(found) == 1:
        return next(iter(found.values()))
    means = {}
    for name in names:
        fractions = [each["strategies"][name]["fraction_of_random"] for each in found.values()]
        means[name] = round(float(np.mean([PAST if f is None else f for f in fractions])), 3)
        say(f"{name:<18} mean of the sets {means[name]:.3f}{' or more' if None in fractions else ''}")
    return {"sets": found, "mean_fraction_of_random": means}


def _measured(
    file: LabeledFile, names: Sequence[str], seeds: int, validate: bool, jobs: int, say: Say
) -> dict[str, Any]:
    arenas = _arenas(file, seeds, validate)
    budget = min(MOST, len(arenas[0].y) // 2)
    steps, curves = _curves("random", arenas, budget, None)
    targets = curves[:, -1]
    table: dict[str, dict[str, Any]] = {}

    def count(name: str, steps: Ints, curves: Floats) -> None:
        needed = Needed(steps, curves, targets)
        table[name] = needed.row(budget)
        say(f"{file.name:<14} {name:<18} {needed.text(budget)}")

    count("random", steps, curves)
    with ProcessPoolExecutor(jobs) as pool:
        others = [name for name in names if name != "random"]
        played = [pool.submit(_played_elsewhere, file, seeds, validate, name, budget, targets) for name in others]
        for name, playing in zip(others, played, strict=True):
            count(name, *playing.result())
    return {"random_score": round(float(targets.mean()), 4), "random_labels": budget, "strategies": table}


def _arenas(file: LabeledFile, seeds: int, validate: bool) -> list[Arena]:
    return [file.validation(seed) for seed in range(seeds)] if validate else [file.arena()] * seeds


def _played_elsewhere(
    file: LabeledFile, seeds: int, validate: bool, name: str, budget: int, targets: Floats
) -> tuple[Ints, Floats]:
    """In a process of its own, which gets the file: arenas of 20 seeds would be half a gigabyte to send."""
    return _curves(name, _arenas(file, seeds, validate), budget, targets)


class Needed:
    """Labels until the mean curve reaches the mean target: steps (t,), curves (seeds, t), targets (seeds,)."""

    def __init__(self, steps: Ints, curves: Floats, targets: Floats) -> None:
        self.labels = labels_to_reach(steps, curves.mean(axis=0), float(targets.mean()))
        self.resampled = resampled_labels(steps, curves, targets)

    def row(self, budget: int) -> dict[str, Any]:
        low, high = np.quantile(self.resampled, [0.025, 0.975], method="nearest") / budget
        return {
            "labels": _finite(self.labels, 0),
            "fraction_of_random": _finite(self.labels / budget, 3),
            "interval": [_finite(low, 3), _finite(high, 3)],
        }

    def text(self, budget: int) -> str:
        fraction, *interval = (
            f">{PAST}" if value is None else f"{value:.2f}"
            for value in (self.row(budget)["fraction_of_random"], *self.row(budget)["interval"])
        )
        return f"{fraction:>5} ({interval[0]} to {interval[1]})"


def labels_to_reach(steps: Ints, curve: Floats, target: float) -> float:
    """Where the curve first reaches the target, straight between two steps; infinite where it never does.

    >>> labels_to_reach(np.array([10, 30, 50]), np.array([0.5, 0.7, 0.8]), 0.6)
    20.0
    """
    there = np.flatnonzero(curve >= target - 1e-9)
    if not len(there):
        return float("inf")
    at = int(there[0])
    if at == 0:
        return float(steps[0])
    share = (target - curve[at - 1]) / (curve[at] - curve[at - 1])
    return float(round(steps[at - 1] + share * (steps[at] - steps[at - 1]), 6))


def resampled_labels(steps: Ints, curves: Floats, targets: Floats) -> Floats:
    """The same for seeds drawn with replacement: (RESAMPLED,)."""
    drawn = np.random.default_rng(0).integers(0, len(curves), (RESAMPLED, len(curves)))
    return np.array([labels_to_reach(steps, curves[d].mean(axis=0), float(targets[d].mean())) for d in drawn])


def _finite(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def _curves(name: str, arenas: Sequence[Arena], budget: int, targets: Floats | None) -> tuple[Ints, Floats]:
    """Accuracy after each training, all seeds in step: steps (t,), curves (seeds, t).

    Random, which sets the targets, plays to its budget. The others stop when nearly all resamples have arrived, so that
    no time is spent on what no longer changes the count.
    """
    plays = [_play(name, arena, seed, budget) for seed, arena in enumerate(arenas)]
    steps: list[int] = []
    curves: list[list[float]] = []
    for turns in zip(*plays, strict=True):
        steps.append(turns[0][0])
        curves.append([accuracy for _, accuracy in turns])
        if targets is None:
            if steps[-1] >= budget:
                break
        elif len(steps) % 3 == 0:
            missing = ~np.isfinite(resampled_labels(np.array(steps), np.array(curves).T, targets))
            if missing.mean() < 0.01:
                break
    return np.array(steps), np.array(curves).T


def _play(name: str, arena: Arena, seed: int, budget: int) -> Iterator[tuple[int, float]]:
    """(labels, accuracy on the rows to report on) after each training of one seed."""
    learner, first = Learner(arena.x.shape[1], arena.classes), max(FIRST, arena.classes)
    asked = _drawn(arena, first, np.random.default_rng(seed))
    if name in ("default", START):
        asked = _selected(STRATEGIES[START], arena, asked[:0], learner, first, seed)
    evidence = PhaseEvidence(_counted(arena, asked))
    end = min(int(PAST * budget), len(arena.y))
    while True:
        learner.fit(arena.x[asked], arena.y[asked])
        yield len(asked), float((learner.probabilities(arena.test_x).argmax(axis=1) == arena.test_y).mean())
        if len(asked) >= end:
            return
        wanted = min(arena.batch, (budget if len(asked) < budget else end) - len(asked))
        by_model = phase_of(evidence).chooser == "model"
        strategy = STRATEGIES[(DEFAULT if by_model else START) if name == "default" else name]
        batch = _selected(strategy, arena, asked, learner, wanted, seed + len(asked))
        guesses = learner.probabilities(arena.x[batch]).argmax(axis=1).tolist()
        asked = np.concatenate([asked, batch])
        evidence = evidence_of(guesses, arena.y[batch].tolist(), _counted(arena, asked))
        evidence = replace(evidence, model_chose=by_model)


def _counted(arena: Arena, asked: Ints) -> tuple[int, ...]:
    return tuple(int(n) for n in np.bincount(arena.y[asked], minlength=arena.classes))


def _drawn(arena: Arena, first: int, rng: np.random.Generator) -> Ints:
    """One label a class, then at random up to `first`."""
    one_each = [int(rng.choice(np.flatnonzero(arena.y == c))) for c in range(arena.classes)]
    others = rng.permutation(np.setdiff1d(np.arange(len(arena.y)), one_each))
    return np.array([*one_each, *others[: first - arena.classes]], np.int64)


def _selected(strategy: Strategy, arena: Arena, asked: Ints, learner: Learner, wanted: int, seed: int) -> Ints:
    """The next batch, as the product's scoring would pick it from one shard."""
    pool = np.setdiff1d(np.arange(len(arena.y)), asked)
    x = arena.x[pool]
    probabilities = learner.probabilities(x) if Need.MODEL in strategy.needs else None
    votes = np.stack(list(_votes(learner, x, seed))) if Need.VOTES in strategy.needs else None
    scores = CandidateScores(pool, probabilities, votes)
    best = shortlist(strategy.priority, scores, keep=strategy.keep, seed=seed, per_class=strategy.per_class)
    best = best.with_vectors(arena.vectors[best.ids])
    labeled = LabeledVectors(arena.vectors[asked], arena.y[asked])
    return choose(strategy, best, labeled, wanted=wanted, batch=wanted, seed=seed).ids


def _votes(learner: Learner, x: Floats, seed: int) -> Iterable[Floats]:
    rng = np.random.default_rng(seed)
    for _ in range(MEMBERS):
        kept = rng.random(x.shape[1]) >= DROPPED
        yield learner.probabilities(x * np.asarray(kept / (1 - DROPPED), np.float32))

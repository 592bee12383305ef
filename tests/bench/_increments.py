"""One per cent of new labels on banking77: an incremental run from yesterday's model against a full run on the same rows."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tests.bench._sets import SETS, Arena, labeled_file

SEEDS = 20
NEW = 0.01
Say = Callable[[str], None]
Ints = NDArray[np.int64]


def measure(say: Say, *, seeds: int = SEEDS, validation: bool = False, **changes: Any) -> dict[str, Any]:
    """`validation` reports on a fifth of the train rows instead, for whoever tunes the recipe; `changes` are settings."""
    path = SETS / "banking77.parquet"
    if not path.exists():
        say("increments: skipped, banking77.parquet is not there")
        return {}
    file = labeled_file(Path("banking77"))
    torch.manual_seed(0)
    rows = []
    for seed in range(seeds):
        arena = file.validation(seed) if validation else file.arena()
        rows.append(_pair(arena, seed, changes))
        full_s, step_s, full, step = rows[-1]
        say(
            f"seed {seed:>2}: full {full_s:.2f} s {full:.4f}, incremental {step_s:.2f} s {step:.4f}, {full_s / step_s:.1f} times"
        )
    full_s, step_s, full, step = np.array(rows).T
    gaps = 100 * (full - step)
    low, high = _interval(gaps)
    speedup = float(np.median(full_s / step_s))
    say(
        f"incremental: {speedup:.1f} times as fast as full; full is better by {gaps.mean():+.2f} points ({low:+.2f} to {high:+.2f})"
    )
    return {
        "incremental_speedup": round(speedup, 2),
        "accuracy_gap_points": round(float(gaps.mean()), 3),
        "gap_interval": [round(low, 3), round(high, 3)],
        "full_accuracy": round(float(full.mean()), 4),
        "incremental_accuracy": round(float(step.mean()), 4),
        "full_fit_s": round(float(np.median(full_s)), 2),
        "incremental_fit_s": round(float(np.median(step_s)), 2),
        "seeds": seeds,
    }


def _pair(arena: Arena, seed: int, changes: dict[str, Any]) -> tuple[float, float, float, float]:
    """Seconds of the full and of the incremental run, then their accuracies on the rows to report on."""
    from apps.rules import replay
    from tests.training.recipes import recipe_for
    from workers.training.fit.loop import fit

    names = [str(i) for i in range(arena.classes)]
    order = np.random.default_rng(seed).permutation(len(arena.y))
    new = order[: max(1, int(NEW * len(order)))]
    old = order[len(new) :]
    full_recipe = recipe_for("text-classification", "full", seed=seed)
    recipe = replace(recipe_for("text-classification", "incremental", seed=seed), **changes)
    base = fit(arena.x[old], arena.y[old], names, full_recipe).bundle

    began = time.perf_counter()
    full = fit(arena.x[order], arena.y[order], names, full_recipe).bundle
    full_s = time.perf_counter() - began
    began = time.perf_counter()
    kept = old[replay.choose(arena.y[old], recipe.replay_size, seed)]  # what the run's worker does before it trains
    rows = np.concatenate([new, kept])
    step = fit(arena.x[rows], arena.y[rows], names, recipe, base=base).bundle
    step_s = time.perf_counter() - began
    return full_s, step_s, _accuracy(full, arena), _accuracy(step, arena)


def _accuracy(bundle: Any, arena: Arena) -> float:
    from workers.training.models.bundle import predict

    return float((predict(bundle, arena.test_x).argmax(axis=1) == arena.test_y).mean())


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % of the mean over seeds, by bootstrap."""
    draws = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)

"""Select from a million: the product's own steps over float16 shards on disk, beside the floor that any program has.

The floor reads every shard once, converts it to float32 and multiplies it by the model's weights, with the product's own
primitives, threads and chunks. Both run in turn, ROUNDS times each, in one process with a warm page cache; what is
reported are medians.
"""

import argparse
import hashlib
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from django.core.management.base import CommandError

from apps.features.shards import Mapped, gathered
from apps.features.shards.files import mapped, packed
from apps.rules import acquisition
from apps.rules.acquisition import LabeledVectors
from tests.training.recipes import recipe_for
from workers.tasks.pool import chunks_of_shards, thinned
from workers.tasks.rows import SHARD_ROWS
from workers.training.models.bundle import Bundle
from workers.training.models.inputs import TextInput
from workers.training.models.score import CHUNK, VectorScorer

STRATEGY = "margin-diversity"  # margin over the whole pool, then farthest first among the `keep` least certain
WANTED = 2000
ROUNDS = 7
CLUSTERS, NOISE, SHARPNESS = 5, 0.9, 12.0  # a class; deviation in lengths of a center; of the model's logits
SAMPLED_EVERY_S = 0.005
MB = 2**20
Say = Callable[[str], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pool", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--classes", type=int, default=20)


def run(*, say: Say, pool: int = 1_000_000, dim: int = 384, classes: int = 20) -> dict[str, Any]:
    if pool < 1 or dim < 1 or classes < 2:
        raise CommandError("--pool and --dim are at least 1, --classes at least 2.")
    with tempfile.TemporaryDirectory(prefix="fastloop-bench-") as folder:
        centers = _unit(np.random.default_rng(1).normal(size=(classes * CLUSTERS, dim)))
        began = time.perf_counter()
        shards = write(Path(folder), pool, centers)
        say(f"{pool:,} vectors in {len(shards)} shards written and checked in {time.perf_counter() - began:.1f} s")
        return measured(shards, _bundle(centers, classes), say)


def measured(shards: Sequence[Mapped], bundle: Bundle, say: Say) -> dict[str, Any]:
    rows = sum(map(len, shards))
    small, held = [], 0
    for shard in shards:
        if held < rows // 10:
            small.append(shard)
            held += len(shard)
    floors, products, smalls = list[float](), list[dict[str, float]](), list[float]()
    with Memory() as memory:
        product(shards, bundle)  # the first run warms caches and threads; its memory counts, its time does not
        for turn in range(1, ROUNDS + 1):
            floors.append(floor(shards, bundle))
            products.append(product(shards, bundle))
            smalls.append(sum(product(small, bundle).values()))
            say(f"round {turn}: floor {floors[-1]:.3f} s, product {sum(products[-1].values()):.3f} s")
    steps = {name: round(statistics.median(p[name] for p in products), 4) for name in products[0]}
    seconds = statistics.median(sum(p.values()) for p in products)
    floor_s, seconds_small = statistics.median(floors), statistics.median(smalls)
    return {
        "pool": rows,
        "wanted": WANTED,
        "strategy": STRATEGY,
        "threads": torch.get_num_threads(),
        "rounds": ROUNDS,
        "seconds_by_step": steps,
        "seconds": round(seconds, 4),
        "anon_peak_mb": round(memory.anon_peak_mb, 1),
        "rss_peak_mb": round(memory.rss_peak_mb, 1),
        "bytes_read": sum(shard.vectors.nbytes for shard in shards),
        "floor_s": round(floor_s, 4),
        "ratio_to_floor": round(seconds / floor_s, 3),
        "pool_small": held,
        "seconds_small": round(seconds_small, 4),
        "growth": round((seconds / seconds_small) / (rows / held), 3),  # 1 is linear, less is better
    }


def product(shards: Sequence[Mapped], bundle: Bundle) -> dict[str, float]:
    """What the scoring task does between reading its rows and swapping the frontier; seconds by step."""
    strategy, clock = acquisition.STRATEGIES[STRATEGY], Clock()
    found = thinned(strategy, chunks_of_shards(shards, np.empty(0, np.int64), VectorScorer(bundle)), seed=1)
    clock.step("scan")
    best = acquisition.merge([found.candidates], keep=strategy.keep, seed=1, per_class=strategy.per_class)
    clock.step("merge")
    vectors, there = gathered(shards, best.ids)
    assert there.all()
    clock.step("gather")
    nobody = LabeledVectors(np.empty((0, vectors.shape[1]), np.float32), np.empty(0, np.int64))
    chosen = acquisition.choose(strategy, best.with_vectors(vectors), nobody, wanted=WANTED, batch=WANTED, seed=1)
    clock.step("choose")
    assert len(np.unique(chosen.ids)) == min(WANTED, found.scored)
    return clock.seconds


@torch.inference_mode()
def floor(shards: Sequence[Mapped], bundle: Bundle) -> float:
    """Seconds to read, convert and multiply, and nothing else."""
    scorer = VectorScorer(bundle)
    began = time.perf_counter()
    for shard in shards:
        for start in range(0, len(shard), CHUNK):
            scorer.logits(scorer.converted(shard.vectors[start : start + CHUNK]))
    return time.perf_counter() - began


def write(folder: Path, pool: int, centers: np.ndarray) -> list[Mapped]:
    """Clustered vectors of length 1, a shard at a time, through the product's own file format."""
    found = []
    for start in range(0, pool, SHARD_ROWS):
        rng, n = np.random.default_rng(start), min(SHARD_ROWS, pool - start)
        homes = centers[rng.integers(0, len(centers), n)]
        noise = rng.standard_normal((n, centers.shape[1]), dtype=np.float32) * (NOISE / centers.shape[1] ** 0.5)
        content, _ = packed(np.arange(start, start + n), np.zeros(n, bool), _unit(homes + noise).astype(np.float16))
        path = folder / f"{start}.arrow"
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        found.append(mapped(str(path), size_bytes=len(content), sha256=digest))
    return found


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _bundle(centers: np.ndarray, classes: int) -> Bundle:
    """A linear head whose classes are groups of clusters."""
    dim = centers.shape[1]
    recipe, preprocessor = recipe_for("text-classification", hidden=0), TextInput(dim)
    module = preprocessor.network(recipe, classes).eval()
    weights = centers.reshape(classes, -1, dim).sum(axis=1) * (SHARPNESS / dim**0.5)
    with torch.no_grad():
        module.head.weight.copy_(torch.from_numpy(weights))
        module.head.bias.zero_()
    return Bundle(tuple(f"class {i}" for i in range(classes)), recipe, preprocessor, module)


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def step(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name], self._last = now - self._last, now


class Memory:
    """The most memory of this process while the block runs, sampled by a thread; anonymous memory above the start's."""

    def __enter__(self) -> Self:
        self.anon_peak_mb = self.rss_peak_mb = 0.0
        self._base = _status()["RssAnon"]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(SAMPLED_EVERY_S):
            now = _status()
            self.anon_peak_mb = max(self.anon_peak_mb, (now["RssAnon"] - self._base) / MB)
            self.rss_peak_mb = max(self.rss_peak_mb, now["VmRSS"] / MB)


def _status() -> dict[str, int]:
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if words[0] in ("RssAnon:", "VmRSS:")}

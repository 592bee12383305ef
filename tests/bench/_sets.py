"""Labeled files as arrays: what a bench learns from, and what it may look at."""

import hashlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from django.core.management.base import CommandError
from numpy.typing import NDArray

from apps.cases.simulation.source import source_from
from fastloop_console.machine.env import ROOT

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
COMPONENTS = 64  # of an image's pixels; with the next line the protocol in docs/benchmarks.md
SMALL, SMALL_BATCH, LARGE_BATCH = 6000, 20, 50  # rows of the file, labels between two trainings
VALIDATION = 0.2  # of the train rows
CACHE = Path(tempfile.gettempdir()) / "fastloop-bench-vectors"
SETS = ROOT.parent / "shared/data"  # where a bare name is looked for


@dataclass(frozen=True, slots=True, eq=False)
class Arena:
    """What one run is played on: features (n, dim), classes (n,), the pool's vectors of length 1, and rows to report on."""

    x: Floats
    y: Ints
    vectors: Floats
    test_x: Floats
    test_y: Ints
    classes: int
    batch: int


@dataclass(frozen=True, slots=True, eq=False)
class LabeledFile:
    """A Parquet file with label and split: raw (n, dim) sentence vectors or pixels."""

    name: str
    raw: Floats
    y: Ints
    split: NDArray[np.str_]
    group: NDArray[np.str_] | None
    images: bool

    def arena(self) -> Arena:
        """Train rows to learn from, test rows to report on."""
        return self._arena(np.flatnonzero(self.split == "train"), np.flatnonzero(self.split == "test"))

    def validation(self, seed: int) -> Arena:
        """The same from train rows alone: a fifth of them to report on, or one group where the file has groups of texts."""
        train, rng = np.flatnonzero(self.split == "train"), np.random.default_rng(10_000 + seed)
        if self.group is None:
            train = rng.permutation(train)
            held = int(VALIDATION * len(train))
            return self._arena(np.sort(train[held:]), train[:held])
        groups, sizes = np.unique(self.group[train], return_counts=True)
        out = self.group[train] == groups[seed % len(groups)]
        size = len(train) - int(sizes.max())  # as many rows whichever group is held out
        return self._arena(np.sort(rng.choice(train[~out], size, replace=False)), train[out])

    def _arena(self, pool: Ints, report: Ints) -> Arena:
        x, test_x = self.raw[pool], self.raw[report]
        if self.images:
            mean = x.mean(axis=0)
            axes = np.linalg.svd(x - mean, full_matrices=False)[2][:COMPONENTS].T
            x, test_x = (x - mean) @ axes, (test_x - mean) @ axes
        vectors = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
        batch = SMALL_BATCH if len(self.y) < SMALL else LARGE_BATCH
        return Arena(x, self.y[pool], vectors, test_x, self.y[report], int(self.y.max()) + 1, batch)


def labeled_file(path: Path) -> LabeledFile:
    """A file, the bare name of one in SETS, or “digits”, which scikit-learn brings along.

    Raises CommandError where there is no such file, or none with a label, a split, and texts or images.
    """
    if str(path) == "digits":
        return _digits()
    path = path if path.is_file() else SETS / f"{path}.parquet"
    if not path.is_file():
        raise CommandError(f"There is no file {path.name}. Name a Parquet file, or “digits”.")
    table = pq.read_table(path)
    columns = set(table.column_names)
    if not {"label", "split"} <= columns or not columns & {"text", "image"}:
        raise CommandError(f"{path} needs the columns label, split, and text or image.")
    images = "image" in columns
    raw = _pixels(table["image"].to_pylist()) if images else _sentences(table["text"].to_pylist())
    y = np.unique(np.array(table["label"].to_pylist()).astype(str), return_inverse=True)[1]
    group = np.array(table["group"].to_pylist()) if "group" in columns and not images else None
    return LabeledFile(path.stem, raw, y, np.array(table["split"].to_pylist()), group, images)


def _digits() -> LabeledFile:
    """1,797 digits of 8 by 8 pixels, three in ten of them to report on, drawn once."""
    source = source_from("digits", target="label", ignore=(), seed=0)
    items = [*source.train, *source.test]
    split = np.array(["train"] * len(source.train) + ["test"] * len(source.test))
    raw = _pixels([item.values["image"] for item in items])
    return LabeledFile("digits", raw, np.array([int(item.label) for item in items]), split, None, True)


def _pixels(images: list[bytes]) -> Floats:
    """PNGs of one size -> (n, pixels) between 0 and 1."""
    from PIL import Image

    return np.stack([np.asarray(Image.open(io.BytesIO(png)), np.float32).ravel() for png in images]) / 255


def _sentences(texts: list[str]) -> Floats:
    """(n, 384) of length 1, embedded once and kept in the temporary folder."""
    key = hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]
    kept = CACHE / f"{key}.npy"
    if not kept.exists():
        from workers.training.encoders.encoder import encoder

        CACHE.mkdir(exist_ok=True)
        part = kept.with_suffix(".part.npy")
        np.save(part, encoder().encode(texts).astype(np.float32))
        part.rename(kept)
    return np.asarray(np.load(kept))

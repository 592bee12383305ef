"""Small labeled sets that the training tests share."""

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
DIGITS = tuple("0123456789")


def png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@cache
def digits(n: int, start: int = 0) -> tuple[list[bytes], NDArray[np.int64]]:
    """n of scikit-learn's 8x8 digits in a seeded order, as PNG."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    chosen = np.random.default_rng(0).permutation(len(loaded.target))[start : start + n]
    pictures = (loaded.images[chosen] * 16).clip(0, 255).astype(np.uint8)
    return [png(picture) for picture in pictures], loaded.target[chosen].astype(np.int64)


def clouds(n: int, classes: int = 3, dim: int = 16, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors around one center a class, easy to tell apart."""
    centers = np.random.default_rng(99).normal(size=(classes, dim))
    rng = np.random.default_rng(seed)
    targets = rng.integers(classes, size=n)
    rows = centers[targets] + 0.5 * rng.normal(size=(n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), targets


def table(n: int, seed: int = 0) -> tuple[list[dict[str, object]], NDArray[np.int64]]:
    """Rows whose label follows from age and job, with some cells missing."""
    rng = np.random.default_rng(seed)
    jobs: Sequence[str] = ("baker", "nurse", "pilot")
    rows, targets = [], []
    for _ in range(n):
        age, job = float(rng.integers(18, 80)), jobs[rng.integers(3)]
        targets.append(int(age > 45 or job == "pilot"))
        rows.append({"age": None if rng.random() < 0.05 else age, "job": job, "note": "x"})
    return rows, np.array(targets)


def parquet(name: str) -> dict[str, list[object]]:
    """The columns of a shared public set; the test is skipped where it is not there."""
    path = SHARED / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"the shared set {name} is not beside this repository")
    import pyarrow.parquet

    columns: dict[str, list[object]] = pyarrow.parquet.read_table(path).to_pydict()
    return columns

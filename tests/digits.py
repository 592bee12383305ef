"""scikit-learn's real handwritten digits, as the API, a Parquet file and the predictor take them."""

import base64
import io
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_digits

from apps.cases.simulation.source import png_of

NAMES = tuple("0123456789")


@cache
def all_digits() -> tuple[tuple[bytes, str], ...]:
    """1,797 pairs of PNG and label."""
    found = load_digits()
    return tuple((png_of(image), str(label)) for image, label in zip(found.images, found.target, strict=True))


def batch(count: int, *, first: int = 0, labeled: bool = True, prefix: str = "digit") -> list[dict[str, Any]]:
    """Rows for the API's batches."""
    return [
        {"id": f"{prefix}-{i}", "image": base64.b64encode(image).decode()} | ({"label": label} if labeled else {})
        for i, (image, label) in enumerate(all_digits()[first : first + count], start=first)
    ]


def parquet(count: int, *, first: int = 0) -> bytes:
    """Without labels; the id says which digit of scikit-learn it is, so that a script that knows can label it."""
    images = [image for image, _ in all_digits()[first : first + count]]
    table = pa.table(
        {"id": [f"digit-{i}" for i in range(first, first + len(images))], "image": pa.array(images, pa.binary())}
    )
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def truth(external_id: str) -> str:
    return all_digits()[int(external_id.rsplit("-", 1)[1])][1]


def question(images: list[bytes]) -> dict[str, Any]:
    """One request in the words of the Open Inference Protocol v2."""
    given = [base64.b64encode(image).decode() for image in images]
    return {"inputs": [{"name": "image", "shape": [len(given)], "datatype": "BYTES", "data": given}]}


def noise(count: int, *, seed: int = 0) -> list[bytes]:
    """Pictures of nothing, 8 by 8: what a broken camera would send."""
    chance = np.random.default_rng(seed)
    return [png_of(chance.integers(0, 17, size=(8, 8)).astype(float)) for _ in range(count)]

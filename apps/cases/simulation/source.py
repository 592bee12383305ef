"""Where simulated examples come from: scikit-learn's digits, or a CSV, JSONL or Parquet file with a label column."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apps.datasets import readers
from apps.projects.task_types import RESERVED, TASK_TYPES
from apps.rules.values import header_of

TEST_SHARE = 0.3  # of a source that says nothing of a split
TEST, VALID = ("test",), ("valid", "validation", "val", "dev")  # what a split may be called, in small letters


class SourceRefused(ValueError):
    """The source cannot be simulated; the message says why."""


@dataclass(frozen=True)
class SimulatedExample:
    """One example with its truth. `values` is what the services see: never the label."""

    external_id: str
    values: dict[str, Any]
    label: str


@dataclass(frozen=True)
class SimulationSource:
    name: str
    task_type: str
    labels: tuple[str, ...]
    train: tuple[SimulatedExample, ...]
    test: tuple[SimulatedExample, ...]


def source_from(name: str, *, target: str, ignore: Iterable[str], seed: int) -> SimulationSource:
    """Raises SourceRefused. `target` names the label column, `ignore` columns that the model must not see.

    Rows of a validation split are not learned from: they are left out, or are the test rows of a source that has no others.
    """
    rows = _digits() if name == "digits" else _file(Path(name))
    ignored = {*ignore, target, "split", "timestamp", "group"}  # the pool counts as collected when it is sent
    items, splits = [], []
    for number, row in enumerate(rows, start=1):
        if row.get(target) is None:
            raise SourceRefused(f"Row {number} has no “{target}”; a simulation needs the truth of every row.")
        values = {k: v for k, v in row.items() if k not in ignored}
        values["id"] = str(row.get("id", number))
        items.append(SimulatedExample(values["id"], values, str(row[target])))
        splits.append(str(row.get("split") or "").strip().lower())
    if not items:
        raise SourceRefused(f"{name} has no rows.")
    labels = tuple(sorted({item.label for item in items}))
    if len(labels) < 2:
        raise SourceRefused(f"Every row of {name} is “{labels[0]}”; a loop needs at least two labels.")
    is_test, is_train = _split(splits, seed)
    if not any(is_train):
        raise SourceRefused(f"No row of {name} is learned from: its split names test and validation rows only.")
    return SimulationSource(
        name=Path(name).stem,
        task_type=_task_type(items[0].values),
        labels=labels,
        train=tuple(i for i, train in zip(items, is_train, strict=True) if train),
        test=tuple(i for i, test in zip(items, is_test, strict=True) if test),
    )


def _task_type(values: dict[str, Any]) -> str:
    """The first that a model learns and whose columns are there; where each row brings its own, any will do."""
    if all(k in RESERVED for k in values):
        raise SourceRefused("The rows have neither “text” nor “image” nor feature columns.")
    learned = [each for each in TASK_TYPES.values() if each.learns]
    return next(each.name for each in learned if set(each.payload.column_names) <= set(values))


def _split(splits: list[str], seed: int) -> tuple[list[bool], list[bool]]:
    """Of each row whether it is a test row, and whether it is learned from."""
    asked = next((names for names in (TEST, VALID) if any(s in names for s in splits)), None)
    if asked is None:
        is_test = _drawn(len(splits), seed)
        return is_test, [not test for test in is_test]
    return [s in asked for s in splits], [s not in (*TEST, *VALID) for s in splits]


def _drawn(n: int, seed: int) -> list[bool]:
    test = np.zeros(n, bool)
    test[np.random.default_rng(seed).permutation(n)[: round(n * TEST_SHARE)]] = True
    return [bool(t) for t in test]


def _digits() -> list[dict[str, Any]]:
    """1,797 real handwritten digits, 8 by 8 pixels, 17 shades, as PNG."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return [
        {"id": f"digit-{i:04d}", "image": png_of(image), "label": str(label)}
        for i, (image, label) in enumerate(zip(found.images, found.target, strict=True))
    ]


def png_of(image: "np.ndarray[Any, Any]") -> bytes:
    """(h, w) with values 0 to 16 -> PNG, 8 bits grey."""
    out = io.BytesIO()
    Image.fromarray(np.clip(image * 255.0 / 16.0, 0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def _file(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise SourceRefused(f"There is no file {path}. Name one, or “digits”.")
    try:
        with path.open("rb") as file:
            found = list(readers.rows_of(file, path.name))
    except readers.FileUnreadable as cause:
        raise SourceRefused(str(cause)) from cause
    broken = next((row for row in found if row.values is None), None)
    if broken:
        raise SourceRefused(f"Row {broken.number}: {broken.reason}")
    return [header_of(tuple(row.values), RESERVED).row(row.values) for row in found if row.values is not None]

"""Examples a second through the online learner, on movielens_small, beside VW alone on the same lines."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from tests.bench._sets import SETS

FEATURES = ("user_id", "item_id", "genres")
TIMES = 5  # each; the middle one counts
# All that the other process does. Its start and its imports are not counted.
ALONE = """
import sys, time
from vowpalwabbit import Workspace
began = time.perf_counter()
Workspace(sys.argv[1]).finish()
print(time.perf_counter() - began)
"""
Say = Callable[[str], None]


def measure(say: Say) -> dict[str, Any]:
    path = SETS / "movielens_small.parquet"
    if not path.exists():
        say("online learning: skipped, movielens_small.parquet is not there")
        return {}
    table = pq.read_table(path)
    rows = table.select(FEATURES).to_pylist()
    targets = np.array(table["label"].to_pylist(), np.int64)
    ours = [_ours(rows, targets) for _ in range(TIMES)]
    seconds = statistics.median(s for s, _, _ in ours)
    floor = statistics.median(_floor(rows, targets))
    speed = len(rows) / seconds
    say(
        f"online learning: {speed:,.0f} examples/s from rows to learned, each predicted before; VW alone on prepared "
        f"lines {len(rows) / floor:,.0f}; ratio {floor / seconds:.2f}"
    )
    say(f"progressive accuracy {ours[0][1]:.3f}, loss {ours[0][2]:.4f} nats over {len(rows):,} ratings")
    return {"vw_examples_per_s": round(speed), "vw_ratio_to_floor": round(floor / seconds, 3)}


def _ours(rows: list[dict[str, Any]], targets: np.ndarray) -> tuple[float, float, float]:
    """Seconds, progressive accuracy and loss: in parts as the worker learns them, the state packed between two."""
    from workers.tasks.online import PART
    from workers.training.online.learning import begin, learn, pack, unpack

    began = time.perf_counter()
    state, right, loss = begin("tabular-classification", ("below 4", "4 and more")), 0, 0.0
    for start in range(0, len(rows), PART):
        learned = learn(state, rows[start : start + PART], targets[start : start + PART])
        state, right, loss = unpack(pack(learned.state)), right + learned.right, loss + learned.loss_sum
    return time.perf_counter() - began, right / len(rows), loss / len(rows)


def _floor(rows: list[dict[str, Any]], targets: np.ndarray) -> list[float]:
    """Seconds of VW's driver over the same lines, with the same settings and predictions, in a process of its own."""
    from workers.training.models.linear import HashedInput
    from workers.training.online.learning import begin, options, settings_of_driver, written

    reader = HashedInput().widened(rows)
    settings = options(begin("tabular-classification", ("below 4", "4 and more")), reader)
    with tempfile.TemporaryDirectory(prefix="fastloop-bench-") as folder:
        place = Path(folder)
        (place / "rows").write_text("".join(written(list(reader.lines(rows)), targets)))
        command = [sys.executable, "-c", ALONE, f"{settings} {settings_of_driver(place)}"]
        return [float(subprocess.check_output(command, text=True)) for _ in range(TIMES)]

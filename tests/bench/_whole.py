"""The same comparison as a person meets it: whole runs on a console, from the worker's claim to the kept model."""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq

from apps.datasets.services import MAX_API_BATCH
from tests.bench._sets import SETS
from tests.console import Console

NEW = 100  # of 10,003
WITHIN_S = 600.0
SETTLE_S = 60.0  # what follows a run and an upload (scores, learning curve, doubted labels) is over by then
Say = Callable[[str], None]


def measure(say: Say) -> dict[str, Any]:
    path = SETS / "banking77.parquet"
    if not path.exists():
        say("whole runs: skipped, banking77.parquet is not there")
        return {}
    table = pq.read_table(path)
    rows = [r for r in table.select(["id", "text", "label", "split"]).to_pylist() if r["split"] == "train"]
    with tempfile.TemporaryDirectory(prefix="fastloop-bench-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as a user of its own
        console = Console(Path(folder) / "home")
        console.start()
        try:
            console.played()
            full, step = _pair(console, rows)
        finally:
            console.stop()
    say(f"whole runs on {len(rows):,} labels: full {full:.1f} s, incremental {step:.1f} s, {full / step:.1f} times")
    return {
        "whole_full_s": round(full, 2),
        "whole_incremental_s": round(step, 2),
        "whole_speedup": round(full / step, 2),
    }


def _pair(console: Console, rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Seconds of a full run on everything, and of the incremental run with the last hundred labels before it."""
    labels = [{"name": name} for name in sorted({r["label"] for r in rows})]
    with console.client("alma") as alma:
        made = console.post(alma, "projects/", name="Banking", task_type="text-classification", labels=labels)
        project = made["id"]
        alma.patch(f"/api/v1/projects/{project}/trigger/", json={"enabled": False}).raise_for_status()
        _add(console, alma, project, rows[:-NEW])
        first = _run(console, alma, project, "full")
        versions = console.get(alma, f"projects/{project}/models/")["results"]
        console.post(alma, f"models/{versions[0]['id']}/promote/", reason="the first model, to start the next one from")
        _add(console, alma, project, rows[-NEW:])
        time.sleep(SETTLE_S)
        step = _run(console, alma, project, "incremental")
        time.sleep(SETTLE_S)
        full = _run(console, alma, project, "full")
    assert first["labels"] < full["labels"] and step["kind"] == "incremental", (first, step, full)
    return _took(full), _took(step)


def _add(console: Console, person: httpx.Client, project: int, rows: list[dict[str, Any]]) -> None:
    sent = [{name: row[name] for name in ("id", "text", "label")} for row in rows]
    for start in range(0, len(sent), MAX_API_BATCH):
        console.post(person, f"projects/{project}/examples/", examples=sent[start : start + MAX_API_BATCH])


def _run(console: Console, person: httpx.Client, project: int, kind: str) -> dict[str, Any]:
    run = console.post(person, f"projects/{project}/runs/", kind=kind)["id"]
    return console.judged(person, run, within_s=WITHIN_S)


def _took(run: dict[str, Any]) -> float:
    started, finished = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    return (finished - started).total_seconds()

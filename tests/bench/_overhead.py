"""Button to first step: on a running console whose worker has trained before, as a person meets it."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.console import Console, until

TIMES = 5
EVERY_S = 0.05
Say = Callable[[str], None]


def measure(say: Say) -> dict[str, Any]:
    """Seconds from the click to the first report that a client sees; the first step is a quarter of a second before it."""
    with tempfile.TemporaryDirectory(prefix="fastloop-bench-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as a user of its own
        console = Console(Path(folder) / "home")
        console.start()
        try:
            console.played()
            seconds = [_once(console) for _ in range(TIMES)]
        finally:
            console.stop()
    say(f"run overhead: {', '.join(f'{s:.2f}' for s in seconds)} s from the click to the first report seen")
    return {"run_overhead_s": round(statistics.median(seconds), 2), "run_overhead_worst_s": round(max(seconds), 2)}


def _once(console: Console) -> float:
    with console.client("lin") as lin:
        project = console.project(lin, "Handwritten digits")
        began = time.monotonic()
        run = console.post(lin, f"projects/{project}/runs/", kind="full")["id"]

        def report() -> dict[str, Any] | None:
            found: dict[str, Any] = console.get(lin, f"runs/{run}/")
            return found if found["step"] > 0 or found["state"] == "failed" else None

        first = until(report, "the first report", every_s=EVERY_S)
        seconds = time.monotonic() - began
        assert first["state"] != "failed", first["error"]
        until(lambda: console.get(lin, f"runs/{run}/")["report"], "the verdict")
    return seconds

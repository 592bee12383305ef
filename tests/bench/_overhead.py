"""Button to first step, and the list of 500 runs: on a running console whose worker has trained before, as a person meets it."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastloop_console.machine.env import ROOT
from tests.console import Console, until

TIMES = 5
EVERY_S = 0.05
MANY, LOOKS = 500, 20
FILL = f"""
from django.utils import timezone
from apps.evaluation.models import Report
from apps.training.models import Run
last = Run.objects.filter(model_version__isnull=False).select_related("report").first()
now, report = timezone.now(), last.report
for number in range(last.number + 1, {MANY} + 1):
    run = Run.objects.create(
        project=last.project, number=number, kind=last.kind, state="completed", trigger=last.trigger, recipe=last.recipe,
        dataset_version=last.dataset_version, queued_at=now, started_at=now, finished_at=now, label_names=last.label_names,
    )
    report.pk, report.run = None, run
    report.save()
"""
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
            listed_ms = _listed(console)
        finally:
            console.stop()
    say(f"run overhead: {', '.join(f'{s:.2f}' for s in seconds)} s from the click to the first report seen")
    say(f"the page of {MANY} runs: {listed_ms:.0f} ms, the middle one of {LOOKS} looks")
    return {
        "run_overhead_s": round(statistics.median(seconds), 2),
        "run_overhead_worst_s": round(max(seconds), 2),
        "runs_list_ms": round(listed_ms),
    }


def _listed(console: Console) -> float:
    """Milliseconds of the list of runs, asked for as a browser does, with 500 judged runs in it."""
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", FILL],
        cwd=ROOT,
        env=console.environment(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with console.client("lin") as lin:
        address = f"/projects/{console.project(lin, 'Handwritten digits')}/runs/"
        took = []
        for _ in range(LOOKS):
            began = time.monotonic()
            answer = lin.get(console.url + address)
            took.append(1000 * (time.monotonic() - began))
            assert answer.status_code == 200 and f"Run {MANY}" in answer.text
    return statistics.median(took)


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

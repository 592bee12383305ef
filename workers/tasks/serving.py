"""Try a model in the predictor's own code, in a process of its own, before anybody meets it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.datasets.selectors import blobs_of, fields_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.gates.rows import Floats, ServingTrial
from fastloop_console.machine import lifeline
from fastloop_console.machine.env import ROOT

REHEARSAL = "workers.predictor.rehearsal"
UNLIKE = 0.05  # of the certainty; stored vectors are float16, and a request encodes anew


def serving_trial(
    project: Project,
    artifact: str,
    example_ids: Sequence[int],
    judged: Floats,
    *,
    timeout_s: float,
    module: str = REHEARSAL,
) -> ServingTrial:
    """`judged` are the probabilities (n, classes) that the verdict rests on. Never raises: what goes wrong is its `error`."""
    task = {"artifact": artifact, "requests": _requests(project, example_ids), "timeout_s": timeout_s}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(task, file)
        file.flush()
        found = _run(Path(file.name), timeout_s, module)
    if "error" in found:
        return ServingTrial(error=str(found["error"]))
    taken, sure = np.array(found["taken_ms"]), np.array(found["sure"])
    unlike = int((np.abs(sure - judged[: len(sure)].max(axis=1)) > UNLIKE).sum()) if len(sure) else 0
    slowest = float(np.percentile(taken, 95)) if len(taken) else 0.0
    return ServingTrial("", len(taken), slowest, float(found["peak_mb"]), float(found["load_s"]), unlike)


def _requests(project: Project, example_ids: Sequence[int]) -> list[list[dict[str, Any]]]:
    """Each example as a client would ask about it."""
    payload = task_types.get(project.task_type).payload
    fields = fields_of(example_ids)
    images = blobs_of(example_ids) if payload.has_image else {}
    rows = [payload.columns_of(fields[i], images.get(i) or b"") for i in example_ids]
    return [payload.inputs([{name: value for name, value in row.items() if value is not None}]) for row in rows]


def _run(task: Path, timeout_s: float, module: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, str(task)]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=complained, **lifeline.tied(os.environ))
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return {"error": f"it had not answered after {timeout_s:g} s and was ended."}
        said.seek(0)
        complained.seek(0)
        words = complained.read().decode(errors="replace").strip().splitlines()
        if code < 0:
            name = signal.Signals(-code).name
            return {"error": f"its process was ended by {name}, as happens where memory runs out."}
        if code:
            return {"error": f"its process ended with code {code}: {words[-1][:200] if words else 'it said nothing'}"}
        return _last_line(said.read().decode(errors="replace"))


def _last_line(output: str) -> dict[str, Any]:
    lines = output.strip().splitlines()
    try:
        found = json.loads(lines[-1])
    except (IndexError, ValueError):
        return {"error": "its process said nothing that can be read."}
    return found if isinstance(found, dict) else {"error": "its process said nothing that can be read."}

"""`python -m workers.predictor.rehearsal TASK`: load one model as the predictor does, answer requests one by one, say how it went.

TASK is a JSON file: {"artifact", "requests": [[tensor, ...], ...], "timeout_s"}. The last line of the output is JSON too. It
asks no database, ends with whoever started it, and by itself when the time is over.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
django.setup()

from fastloop_console.machine.without_pandas import keep_pandas_out  # noqa: E402  after Django is set up
from workers.predictor.without_kubernetes import kserve_imported  # noqa: E402

kserve_imported()
keep_pandas_out()

from kserve import InferInput, InferRequest  # noqa: E402
from kserve.errors import InvalidInput  # noqa: E402

from apps.integrations import wiring  # noqa: E402
from fastloop_console.machine import lifeline  # noqa: E402
from workers.predictor.answers import answer  # noqa: E402
from workers.predictor.requests import ALLOW_MISSING  # noqa: E402
from workers.training.models.bundle import load  # noqa: E402

GRACE_S = 5  # whoever started it ends it first
KILOBYTE = 1024 if sys.platform == "darwin" else 1  # of ru_maxrss, which is bytes there


def rehearse(task: dict[str, Any]) -> dict[str, Any]:
    """Seconds to load, milliseconds a request, the certainty of each answer, the peak of memory in MB; or `error`."""
    began = time.perf_counter()
    bundle = load(wiring.storage().read(task["artifact"]))
    load_s = time.perf_counter() - began
    taken, sure = [], []
    for number, tensors in enumerate(task["requests"]):
        inputs = [InferInput(t["name"], t["shape"], t["datatype"], t["data"]) for t in tensors]
        request = InferRequest("rehearsal", inputs, parameters={ALLOW_MISSING: True})
        began = time.perf_counter()
        try:
            found = answer(bundle, request)
        except InvalidInput as fault:
            return {"error": f"Holdout example {number + 1} is refused: {fault}"}
        taken.append((time.perf_counter() - began) * 1000)
        sure.append(float(found[0].max()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTE / 1024
    return {"load_s": load_s, "taken_ms": taken, "sure": sure, "peak_mb": peak}


def main() -> None:
    lifeline.follow()
    task = json.loads(Path(sys.argv[1]).read_text())
    signal.alarm(int(task["timeout_s"]) + GRACE_S)
    try:
        found = rehearse(task)
    except Exception as cause:  # whatever a model's file does to the code that serves it
        found = {"error": f"{type(cause).__name__}: {cause}"[:300]}
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""What the console's processes never load, because nothing of theirs needs it and it would stay for as long as they live."""

import json
import subprocess
import sys

import pytest

from fastloop_console.machine.env import ROOT

ARRAYS = (
    "import pyarrow, numpy; pyarrow.array([1]); pyarrow.array(numpy.ones(1)); pyarrow.table({'a': ['b']}).to_pylist()"
)

WORKER_STARTS = "import celery.signals; celery.signals.worker_init.send(None)"


@pytest.mark.parametrize(
    ("module", "then", "unwanted"),
    [
        ("fastloop_console.machine.up", "", ("httpx", "psutil", "redis", "psycopg", "celery", "django.apps", "numpy")),
        ("fastloop_console.machine.keeper", "", ("environ", "django", "httpx", "psutil", "redis", "psycopg")),
        ("fastloop_console.beat", "", ("django.apps", "numpy")),
        (
            "fastloop_console.asgi",
            f"import fastloop_console.urls; {ARRAYS}",
            ("pandas", "deltalake", "mlflow", "sklearn"),
        ),
        ("workers.predictor.__main__", ARRAYS, ("kubernetes", "pandas", "deltalake", "mlflow", "sklearn")),
        (
            "workers.gpu",
            f"{WORKER_STARTS}; {ARRAYS}",
            ("pandas", "mlflow", "optuna", "sklearn", "torch._dynamo", "kserve"),
        ),
    ],
)
def test_a_process_stays_small(module: str, then: str, unwanted: tuple[str, ...]) -> None:
    look = f"import json, sys, {module}\n{then}\nprint(json.dumps([m for m in {unwanted!r} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_pandas_is_there_for_who_asks_for_it() -> None:
    look = (
        "from fastloop_console.machine.without_pandas import keep_pandas_out; keep_pandas_out(); keep_pandas_out()\n"
        "import pandas, pyarrow; print(pyarrow.array(pandas.Series([1, 2])).to_pylist(), pandas.DataFrame({'a': [1]}).shape)"
    )
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[1, 2] (1, 1)", done.stderr

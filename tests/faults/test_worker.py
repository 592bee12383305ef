"""A worker that dies while it trains."""

import httpx
import pytest

from tests.console import Console, until
from tests.loops import new_loop

pytestmark = pytest.mark.fault


def test_a_run_whose_worker_is_killed_goes_on_and_ends_once(console: Console, lin: httpx.Client) -> None:
    loop = new_loop(console, lin, "Killed while training", count=1797)
    run_id = loop.start_run()

    def trains() -> bool:
        run = console.get(lin, f"runs/{run_id}/")
        assert run["state"] in ("queued", "running"), "the run ended before it could be killed"
        return bool(run["step"])

    until(trains, "the run did not start", within_s=60, every_s=0.05)
    dead = console.kill("training")
    run = console.judged(lin, run_id, within_s=180)
    assert run["state"] == "completed"
    assert dead not in console.pids("training")
    assert sum(line.startswith("attempt ") for line in run["log"]) == 2, run["log"]
    assert "attempt 2" in lin.get(f"/projects/{loop.id}/models/runs/{run_id}/").text
    assert run["report"]["examples"] > 0
    until(loop.versions, "the judged run became no model")
    assert [v["run_id"] for v in loop.versions()] == [run_id]
    audited = lin.get(f"/projects/{loop.id}/audit/?verb=run.completed").text
    assert audited.count("Run 1 completed.") == 1

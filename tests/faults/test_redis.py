"""Redis away for ten seconds."""

import os
import signal
import threading
import time

import httpx
import pytest

from tests.console import Console
from tests.faults.labeling import Desk
from tests.loops import Loop

pytestmark = pytest.mark.fault
AWAY_S = 10.0
SOON_S = 5.0  # a person waits so long for a page; without Redis it may take a timeout, not several


def test_while_redis_is_away_answers_are_saved_pages_answer_and_a_run_waits(
    console: Console, loop: Loop, lin: httpx.Client
) -> None:
    demo = console.project(lin, "Handwritten digits")
    redis = console.redis_pid()
    with console.client("ada") as ada:
        desk = Desk(console, ada, demo)
        desk.answer(1)
        os.kill(redis, signal.SIGSTOP)
        back = threading.Timer(AWAY_S, os.kill, (redis, signal.SIGCONT))
        back.start()
        try:
            began = time.monotonic()
            desk.answer(8)
            for page in (
                f"/projects/{demo}/",
                f"/projects/{demo}/runs/",
                f"/projects/{demo}/data/",
                f"/projects/{demo}/monitor/",
            ):
                asked = time.monotonic()
                assert lin.get(page).status_code == 200
                assert time.monotonic() - asked < SOON_S
            run = console.post(lin, f"projects/{loop.id}/runs/", kind="full")
            assert run["state"] == "queued"
            assert time.monotonic() - began < AWAY_S, "Redis was back before everything was asked"
        finally:
            back.join()
    assert console.redis_pid() == redis, "a stopped Redis was started a second time"
    assert desk.failures == 0
    assert max(desk.seconds) < SOON_S
    assert desk.acknowledged.items() <= desk.stored().items()
    assert console.judged(lin, run["id"], within_s=90)["state"] == "completed"

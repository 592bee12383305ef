"""The workers a simulation needs: those of a running console where there is one, else started here and stopped at the end."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

import httpx
from django.conf import settings

from fastloop_console.machine import embedded
from fastloop_console.machine.celery import app
from fastloop_console.machine.processes import add_default_worker, add_predictor, add_training_worker
from fastloop_console.machine.supervisor import Supervisor

READY_WITHIN_S = 90.0


@contextlib.contextmanager
def crew() -> Iterator[None]:
    """Both Celery workers and the predictor answer for as long as the block lasts."""
    supervisor = Supervisor(stream=sys.stderr)
    answering = _workers()
    if "training" not in answering:
        add_training_worker(supervisor)
    if "default" not in answering:
        add_default_worker(supervisor)
    if not _predictor_answers():
        port = embedded.free_ports(1)[0]
        add_predictor(supervisor, port)
        settings.PREDICTOR_URL = f"http://127.0.0.1:{port}"
    supervisor.start()
    done = threading.Event()
    watch = threading.Thread(target=_look_after, args=(supervisor, done), daemon=True)
    watch.start()
    try:
        _wait_until_ready()
        yield
    finally:
        done.set()
        watch.join(timeout=5)
        supervisor.stop()


def _look_after(supervisor: Supervisor, done: threading.Event) -> None:
    while not done.wait(0.5):
        if not supervisor.look_after():
            return


def _wait_until_ready() -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if {"training", "default"} <= _workers() and _predictor_answers():
            return
        time.sleep(0.2)
    raise RuntimeError(f"The workers did not answer within {READY_WITHIN_S:.0f} s; their lines above say why.")


def _workers() -> set[str]:
    """Which of our workers answer, by the first part of their name."""
    return {next(iter(answer)).split("@")[0] for answer in app.control.ping(timeout=0.7)}


def _predictor_answers() -> bool:
    try:
        return httpx.get(f"{settings.PREDICTOR_URL}/v2", timeout=2).json().get("name") is not None
    except (httpx.HTTPError, ValueError):
        return False

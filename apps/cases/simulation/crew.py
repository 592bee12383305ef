"""The workers a simulation needs: those of a running console where there is one, else started here and stopped at the end."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from django.conf import settings

from apps.cases.simulation.attendance import NEEDED, PREDICTOR, attendance, present
from apps.cases.simulation.waiting import SimulationStopped, Wait
from fastloop_console.machine import env
from fastloop_console.machine.leftovers import end_leftovers
from fastloop_console.machine.ports import free_ports
from fastloop_console.machine.processes import add_default_worker, add_predictor, add_training_worker
from fastloop_console.machine.supervisor import Supervisor

READY_WITHIN_S = 180.0


@contextlib.contextmanager
def crew() -> Iterator[None]:
    """Both Celery workers and the predictor answer for as long as the block lasts. Raises SimulationStopped."""
    end_leftovers(env.home())
    supervisor, here = Supervisor(stream=sys.stderr), present()
    if "training" not in here:
        add_training_worker(supervisor)
    if "default" not in here:
        add_default_worker(supervisor)
    if PREDICTOR not in here:  # also where a stranger's answers at our port
        port = free_ports(1)[0]
        add_predictor(supervisor, port)
        settings.PREDICTOR_URL = f"http://127.0.0.1:{port}"
    done = threading.Event()
    watch = threading.Thread(target=_look_after, args=(supervisor, done), daemon=True)
    try:
        attendance.gave_up = lambda: supervisor.gave_up
        supervisor.start()
        watch.start()
        _wait_until_ready()
        yield
    finally:
        done.set()
        supervisor.stop()


def _look_after(supervisor: Supervisor, done: threading.Event) -> None:
    while not done.wait(0.5):
        if not supervisor.look_after():
            return


def _wait_until_ready() -> None:
    deadline, missing = time.monotonic() + READY_WITHIN_S, list(NEEDED)
    wait = Wait(lambda: " and ".join(NEEDED[name] for name in missing))
    while missing := [name for name in NEEDED if name not in present()]:
        if time.monotonic() > deadline:
            raise SimulationStopped(
                f"The workers did not answer within {READY_WITHIN_S:.0f} s; their lines above say why."
            )
        wait.look(attended=False)
        time.sleep(0.2)

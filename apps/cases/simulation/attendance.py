"""Who is there to do what a simulation waits for: the workers and the predictor, looked at every few seconds.

One that died is started again by whoever started it. One that stays away has nobody to start it, and a wait for its work
would end in half an hour with less to say.
"""

import time
from collections.abc import Callable

from apps.integrations import wiring
from apps.integrations.ports import PredictorState
from fastloop_console.machine.celery import workers_answering

AWAY_S = 60.0  # so long a restart takes at most: torch is imported in 5 s, on a busy machine in 30
PREDICTOR = "predictor"
NEEDED = {"training": "the training worker", "default": "the default worker", PREDICTOR: "the predictor"}


def present(*, timeout_s: float = 1.0) -> set[str]:
    """Which of NEEDED answer. Workers by the first part of their name; somebody else's predictor is none."""
    here = workers_answering(timeout_s=timeout_s)
    if wiring.predictor.state() == PredictorState.OURS:
        here.add(PREDICTOR)
    return here & set(NEEDED)


class Attendance:
    """Remembers since when each has been away. `gave_up` says of those started here which one does not stay up."""

    def __init__(self) -> None:
        self.gave_up: Callable[[], str] = lambda: ""
        self._seen: dict[str, float] = {}

    def started_in_vain(self) -> str:
        """Of those started here: which does not stay up."""
        dead = self.gave_up()
        return f"{_upper(NEEDED.get(dead, dead))} does not stay up; its lines above say why." if dead else ""

    def why_in_vain(self, *, now: float | None = None, here: set[str] | None = None) -> str:
        """In a sentence why waiting is in vain; empty where it is not."""
        now, here = now if now is not None else time.monotonic(), here if here is not None else present()
        if dead := self.started_in_vain():
            return dead
        self._seen |= {name: now for name in NEEDED if name in here or name not in self._seen}
        away = max(NEEDED, key=lambda name: now - self._seen[name])
        if now - self._seen[away] < AWAY_S:
            return ""
        return f"{_upper(NEEDED[away])} has not answered for {now - self._seen[away]:.0f} s."


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


attendance = Attendance()  # of this process: one simulation, one crew

"""Micro-batching: requests that wait at the same time for the same model go through one forward pass.

Nobody waits for company. The first request starts a pass at once; those that come while it runs are the next pass together.
One that has waited `max_latency_ms` behind a running pass starts another beside it, so that a request of 1,024 pictures holds
up nobody for longer than that; where passes are long (an encoder) it starts at once, since a second processor is worth more than
company then. The words are those of KServe's batcher. Models of texts that share an encoder share its passes,
a champion and its canary among them: the encoder is what costs.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from django.conf import settings

from workers.predictor.answers import Floats, apart, encoded
from workers.predictor.metrics import BATCH
from workers.training.models.inputs import Rows

LONG_MS = 20.0  # of a pass; shorter ones spend more on changing threads than a second processor gains
MOST_PASSES = 2  # at once; more threads only share the same processors, and tear apart what could go together


@dataclass(slots=True)
class _Waiting:
    rows: Rows
    since: float  # of the loop's clock, s
    future: "asyncio.Future[Floats]"


class Batcher:
    """What waits for one network; `work` is asked in a thread. `passes` and `answered` count since it was made."""

    def __init__(self, work: Callable[[Rows], Floats], network: str = "") -> None:
        self.work, self._sizes = work, BATCH.labels(network)
        self.passes = self.answered = 0
        self._waiting: deque[_Waiting] = deque()
        self._running, self._lasted_ms = 0, 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, rows: Rows) -> Floats:
        """What `work` says to these rows. Raises whatever it raises on them."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(rows, loop.time(), loop.create_future())
        self._waiting.append(waiting)
        self._start_passes()
        return await waiting.future

    def _start_passes(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._may_start(loop.time()):
            together = self._next()
            self._running += 1
            self.passes, self.answered = self.passes + 1, self.answered + len(together)
            self._sizes.observe(len(together))
            done = loop.run_in_executor(None, apart, self.work, [each.rows for each in together])
            done.add_done_callback(partial(self._end_pass, together, loop.time()))
        if self._waiting and self._timer is None and self._running < MOST_PASSES:
            overdue = self._waiting[0].since + settings.PREDICTOR_MAX_LATENCY_MS / 1000
            self._timer = loop.call_at(overdue, self._look_again)

    def _may_start(self, now: float) -> bool:
        """At once where none runs; beside others where passes are long, and for one that has waited too long."""
        if self._running == 0:
            return True
        if self._lasted_ms >= LONG_MS and self._running < MOST_PASSES:
            return True
        waited_ms = (now - self._waiting[0].since) * 1000
        return self._running < MOST_PASSES and waited_ms >= settings.PREDICTOR_MAX_LATENCY_MS

    def _next(self) -> list[_Waiting]:
        """In the order they came, until the next would be too much; one that is larger by itself goes alone."""
        together = [self._waiting.popleft()]
        rows = len(together[0].rows)
        while self._waiting and rows + len(self._waiting[0].rows) <= settings.PREDICTOR_MAX_BATCH_SIZE:
            together.append(self._waiting.popleft())
            rows += len(together[-1].rows)
        return together

    def _look_again(self) -> None:
        self._timer = None
        self._start_passes()

    def _end_pass(
        self, together: Sequence[_Waiting], began: float, done: "asyncio.Future[list[Floats | Exception]]"
    ) -> None:
        self._running -= 1
        self._lasted_ms = (asyncio.get_running_loop().time() - began) * 1000
        fault = asyncio.CancelledError() if done.cancelled() else done.exception()
        found = [fault] * len(together) if fault else done.result()
        for each, said in zip(together, found, strict=True):
            if each.future.done():  # whoever asked has gone
                continue
            if isinstance(said, BaseException):
                each.future.set_exception(said)
            else:
                each.future.set_result(said)
        self._start_passes()


@lru_cache(maxsize=64)
def encoding(name: str) -> Batcher:
    """The one that texts of all models with this encoder go through."""
    return Batcher(partial(encoded, name), name)

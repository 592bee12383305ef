"""Micro-batching: requests that wait at the same time for the same model go through one forward pass.

Nobody waits for company. The first request starts a pass at once; those that come while it runs are the next pass together.
One that has waited `max_latency_ms` behind a running pass starts another beside it, so that a request of 1,024 pictures holds
up nobody for longer than that. The words are those of KServe's batcher.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from workers.predictor.answers import Probabilities, TensorRequest, answers, rows_of
from workers.training.models.bundle import Bundle

READ_HERE = (
    16  # values; a request of more is read in a thread, since other requests and health checks wait for the loop
)
MOST_PASSES = 4  # of one model at once; beyond it more threads only share the same processors


@dataclass(slots=True)
class _Waiting:
    rows: list[Any]
    since: float  # of the loop's clock, s
    future: "asyncio.Future[Probabilities]"


def _length(data: Any) -> int:
    return len(data) if hasattr(data, "__len__") else 1


class Batcher:
    """The requests that wait for one model. `passes` and `answered` count since it was made; belongs to one event loop."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.passes = self.answered = 0
        self._waiting: deque[_Waiting] = deque()
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, request: TensorRequest) -> Probabilities:
        """Probabilities (n, classes) of this request alone. Raises InvalidInput, and whatever the model raises on it."""
        loop = asyncio.get_running_loop()
        if sum(_length(tensor.data) for tensor in request.inputs) <= READ_HERE:
            rows = rows_of(self.bundle, request)
        else:
            rows = await loop.run_in_executor(None, rows_of, self.bundle, request)
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
            loop.run_in_executor(None, answers, self.bundle, [each.rows for each in together]).add_done_callback(
                lambda done, together=together: self._end_pass(done, together)  # type: ignore[misc]
            )
        if self._waiting and self._timer is None and self._running < MOST_PASSES:
            overdue = self._waiting[0].since + settings.PREDICTOR_MAX_LATENCY_MS / 1000
            self._timer = loop.call_at(overdue, self._look_again)

    def _may_start(self, now: float) -> bool:
        """At once where none runs; beside others for one that has waited too long."""
        if self._running == 0:
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

    def _end_pass(self, done: "asyncio.Future[list[Probabilities | Exception]]", together: Sequence[_Waiting]) -> None:
        self._running -= 1
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

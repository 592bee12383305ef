"""Django under an ASGI server, each request in one thread from its first middleware to its answer.

Django's own handler crosses between the event loop and threads at every middleware, and makes a thread for each request:
measured here as a third of the cost of a small answer (114 against 165 a second). Our views are all synchronous, so
one crossing is enough. What is sent after the view has answered waits for nobody's reading (`delivery.py`).
"""

import asyncio
import contextlib
import contextvars
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse, HttpResponseBase
from django.urls import set_script_prefix

from fastloop_console.machine.delivery import FileDelivery, Message, ReaderGone, StreamDelivery, cut, send_whole

logger = logging.getLogger(__name__)
AT_WORK = 4  # requests a process: more threads only take the interpreter's lock from each other
THREADS = 32  # a stream holds its thread until it is made, a password until it is hashed; neither counts as work
FILE_THREADS = 4
BODY_WITHIN_S = 60.0  # between two parts of a request's body
BODY_NOT_KEPT: list[Message] = [
    {
        "type": "http.response.start",
        "status": 507,
        "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")],
    },
    {"type": "http.response.body", "body": b"The console's disk is full, so this could not be kept. Free some of it."},
]
_turn_of_request: contextvars.ContextVar["Turn"] = contextvars.ContextVar("turn_of_request")


def step_aside() -> None:
    """Called in a request that will wait or compute for long outside Python: another one may begin meanwhile."""
    turn = _turn_of_request.get(None)
    if turn is not None:
        turn.over_from_thread()


class Turn:
    """One request's place among those at work; given back once, at its end or when it begins to stream."""

    def __init__(self, places: asyncio.Semaphore, loop: asyncio.AbstractEventLoop) -> None:
        self._places, self._loop, self._held = places, loop, True

    def over(self) -> None:
        if self._held:
            self._held = False
            self._places.release()

    def over_from_thread(self) -> None:
        self._loop.call_soon_threadsafe(self.over)


class OneThread(ASGIHandler):
    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._files = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="file")
        self._turn = asyncio.Semaphore(AT_WORK)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body_file = await self.read_body(_in_time(receive))
        except RequestAborted:
            await cut(send)
            return
        except OSError as cause:  # a body on its way to a full disk
            logger.error("A body could not be kept: %s", cause)
            await send_whole(send, BODY_NOT_KEPT)
            return
        with contextlib.suppress(ReaderGone):
            await self._answered(scope, body_file, send)

    async def _answered(self, scope: Any, body_file: Any, send: Any) -> None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Message] | FileDelivery | StreamDelivery] = loop.create_future()
        await self._turn.acquire()
        turn = Turn(self._turn, loop)
        try:
            work = loop.run_in_executor(
                self._threads, contextvars.copy_context().run, self._answer, scope, body_file, turn, answer
            )
            work.add_done_callback(lambda done: _failed(done, answer))
            found = await answer
        finally:
            turn.over()
        if isinstance(found, list):
            body_file.close()
            await send_whole(send, found)
            return
        try:
            await found.deliver(send)
        finally:
            body_file.close()

    def _answer(self, scope: Any, body_file: Any, turn: Turn, answer: "asyncio.Future[Any]") -> None:
        """Sets `answer` to the messages of a whole response, or to what delivers a longer one."""
        loop = answer.get_loop()
        _turn_of_request.set(turn)
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refused = self.create_request(scope, body_file)
        response: Any = refused if request is None else self.get_response(request)
        response._handler_class = self.__class__
        is_file = isinstance(response, FileResponse)
        if not response.streaming:
            whole = [_start(response), {"type": "http.response.body", "body": response.content}]
            response.close()  # tells that the request is finished, which gives the connection back
            loop.call_soon_threadsafe(_set, answer, whole)
        elif is_file:
            closers, response._resource_closers = response._resource_closers, []
            response.close()
            file = FileDelivery(_start(response), response.file_to_stream, lambda: _each(closers), self._files)
            loop.call_soon_threadsafe(_set, answer, file)
        else:
            turn.over_from_thread()
            self._make(response, answer)

    def _make(self, response: Any, answer: "asyncio.Future[Any]") -> None:
        """A stream from its first part to its last, in this thread: a cursor of the database lives in one."""
        loop = answer.get_loop()
        stream = StreamDelivery(_start(response), loop, getattr(response, "after_delivery", lambda: None))
        loop.call_soon_threadsafe(_set, answer, stream)
        failed = True
        try:
            for part in response:
                for chunk, _ in self.chunk_bytes(part):
                    stream.put(bytes(chunk))
            failed = False
        except ReaderGone:
            pass
        except Exception:
            logger.exception("A stream broke off")
        finally:
            try:
                response.close()
            finally:
                stream.end(failed=failed)


def _set(answer: "asyncio.Future[Any]", found: Any) -> None:
    if not answer.done():
        answer.set_result(found)


def _failed(work: "asyncio.Future[None]", answer: "asyncio.Future[Any]") -> None:
    """Whatever the thread raised reaches whoever waits for its answer."""
    cause = None if work.cancelled() else work.exception()
    if cause is not None and not answer.done():
        answer.set_exception(cause)


def _each(closers: list[Any]) -> None:
    for close in closers:
        with contextlib.suppress(Exception):
            close()


def _in_time(receive: Any) -> Any:
    """Whoever sends no more of a body for a minute has gone."""

    async def received() -> Any:
        try:
            return await asyncio.wait_for(receive(), BODY_WITHIN_S)
        except TimeoutError:
            return {"type": "http.disconnect"}

    return received


def _start(response: HttpResponseBase) -> dict[str, Any]:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [(b"Set-Cookie", c.output(header="").encode("ascii").strip()) for c in response.cookies.values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": [*headers, *cookies]}

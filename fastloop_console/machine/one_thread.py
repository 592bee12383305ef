"""Django under an ASGI server, each request in one thread from its first middleware to its last byte.

Django's own handler crosses between the event loop and threads at every middleware, and makes a thread for each request:
measured here as a third of the cost of a small answer (114 against 165 a second). Our views are all synchronous, so
one crossing is enough.
"""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse, HttpResponseBase
from django.urls import set_script_prefix

AT_WORK = 4  # requests a process: more threads only take the interpreter's lock from each other
THREADS = 32  # a stream holds its thread until its reader has everything, and is not counted as work


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
        self._turn = asyncio.Semaphore(AT_WORK)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body_file = await self.read_body(receive)
        except RequestAborted:
            return
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()

        def deliver(message: dict[str, Any]) -> None:
            """From the thread; returns when the server has taken it, so that a stream never runs ahead of its reader."""
            asyncio.run_coroutine_threadsafe(send(message), loop).result()

        await self._turn.acquire()
        turn = Turn(self._turn, loop)
        try:
            whole = await loop.run_in_executor(
                self._threads, context.run, self._answer, scope, body_file, deliver, turn
            )
        finally:
            turn.over()
            body_file.close()
        for message in whole:
            await send(message)

    def _answer(self, scope: Any, body_file: Any, deliver: Any, turn: "Turn") -> list[dict[str, Any]]:
        """The messages of a whole response; a streamed one is delivered from here and leaves none."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refused = self.create_request(scope, body_file)
        response: Any = refused if request is None else self.get_response(request)
        response._handler_class = self.__class__
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        try:
            if response.streaming:
                turn.over_from_thread()
                self._stream(response, deliver)
                return []
            return [_start(response), {"type": "http.response.body", "body": response.content}]
        finally:
            response.close()  # tells that the request is finished, which gives the connection back

    def _stream(self, response: Any, deliver: Any) -> None:
        deliver(_start(response))
        for part in response:
            for chunk, _ in self.chunk_bytes(part):
                deliver({"type": "http.response.body", "body": chunk, "more_body": True})
        deliver({"type": "http.response.body"})


def _start(response: HttpResponseBase) -> dict[str, Any]:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    cookies = [(b"Set-Cookie", c.output(header="").encode("ascii").strip()) for c in response.cookies.values()]
    return {"type": "http.response.start", "status": response.status_code, "headers": [*headers, *cookies]}

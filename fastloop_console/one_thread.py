"""Django under an ASGI server, each request in one thread from its first middleware to its last byte.

Django's own handler crosses between the event loop and threads at every middleware, and makes a thread for each request:
measured here as two thirds of the cost of a small answer. Our views are all synchronous, so one crossing is enough.
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

THREADS = 16  # a process: most of a request is waiting for PostgreSQL; an export holds its thread until it is through


class OneThread(ASGIHandler):
    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")

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

        try:
            whole = await loop.run_in_executor(self._threads, context.run, self._answer, scope, body_file, deliver)
        finally:
            body_file.close()
        for message in whole:
            await send(message)

    def _answer(self, scope: Any, body_file: Any, deliver: Any) -> list[dict[str, Any]]:
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

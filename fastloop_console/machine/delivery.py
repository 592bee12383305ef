"""Hand an answer to a reader who takes it slowly, or not at all: no thread and no cursor waits for them.

A stream is made at the machine's speed into a file that has no name, and sent from there by the event loop. A file is
read piece by piece. Whoever takes nothing for a minute is cut off.
"""

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from typing import Any, BinaryIO

logger = logging.getLogger(__name__)
TAKEN_WITHIN_S = 60.0  # one piece; a phone on a poor line takes seconds
PIECE_BYTES = 65_536
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class ReaderGone(Exception):
    """Nobody takes the rest: its making stops."""


async def send_whole(send: Send, messages: Iterable[Message]) -> None:
    for message in messages:
        await _send_within(send, message)


class FileDelivery:
    """A file that is there already, read by a few threads of their own."""

    def __init__(self, start: Message, file: BinaryIO, close: Callable[[], None], readers: Executor) -> None:
        self._start, self._file, self._close, self._readers = start, file, close, readers

    async def deliver(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        try:
            await _send_within(send, self._start)
            while piece := await loop.run_in_executor(self._readers, self._file.read, PIECE_BYTES):
                await _send_within(send, {"type": "http.response.body", "body": piece, "more_body": True})
            await _send_within(send, {"type": "http.response.body"})
        finally:
            self._close()


class StreamDelivery:
    """A stream while one thread makes it with `put` and `end`, and the loop sends what is there."""

    def __init__(self, start: Message, loop: asyncio.AbstractEventLoop, close: Callable[[], None]) -> None:
        self._start, self._loop, self._close = start, loop, close
        self._file = tempfile.TemporaryFile(buffering=PIECE_BYTES)  # noqa: SIM115  closed by `deliver`
        self._made, self._over, self._failed, self._gone = 0, False, False, False
        self._news = asyncio.Event()

    def put(self, piece: bytes) -> None:
        """From the thread. Raises ReaderGone, and OSError where the disk is full."""
        if self._gone:
            raise ReaderGone
        self._file.write(piece)
        if self._file.tell() - self._made >= PIECE_BYTES:
            self._show()

    def end(self, *, failed: bool) -> None:
        """From the thread, always: the file is closed by whoever comes second."""
        try:
            self._show()
        except OSError:
            failed = True
        self._failed, self._over = failed, True
        self._tell()

    def _show(self) -> None:
        self._file.flush()
        self._made = self._file.tell()
        self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._news.set)

    async def deliver(self, send: Send) -> None:
        """Returns when all is sent and the making is over. A stream that broke off is never ended as if it were whole."""
        try:
            await _send_within(send, self._start)
            at = 0
            while True:
                self._news.clear()
                over = self._over
                while at < self._made:
                    piece = os.pread(self._file.fileno(), min(PIECE_BYTES, self._made - at), at)
                    await _send_within(send, {"type": "http.response.body", "body": piece, "more_body": True})
                    at += len(piece)
                if over:
                    break
                await self._news.wait()
            if self._failed:
                await cut(send)
            else:
                await _send_within(send, {"type": "http.response.body"})
        finally:
            self._gone = True
            while not self._over:  # its thread ends at the next piece; the file stays open until then
                self._news.clear()
                if not self._over:
                    await self._news.wait()
            self._file.close()
            self._close()


async def _send_within(send: Send, message: Message) -> None:
    """Raises ReaderGone when the reader takes nothing for too long; their connection is gone then."""
    try:
        await asyncio.wait_for(send(message), TAKEN_WITHIN_S)
    except TimeoutError:
        await cut(send)
        raise ReaderGone from None


async def cut(send: Send) -> None:
    """End the connection without a last piece. Closing it in order would wait for the reader, who sleeps."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)  # uvicorn's
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0)  # the server learns of it before this request ends

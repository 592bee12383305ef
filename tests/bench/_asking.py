"""`python -m tests.bench._asking PLAN`: so many connections that ask as fast as they are answered, in a process of its own.

PLAN is a JSON file {port, path, headers, bodies, connections, seconds, versions}; what was seen is one JSON object on standard
output. It speaks HTTP/1.1 by hand, since a client that takes longer than the server would be what is measured: `limit` has it
ask a server that answers without reading.
"""

import asyncio
import json
import re
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any, cast

import uvloop

VERSION = re.compile(rb'"model_version":"(\d+)"')
NOTHING = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Plan:
    def __init__(self, given: dict[str, Any]) -> None:
        self.port, self.seconds = int(given["port"]), float(given["seconds"])
        self.connections, self.versions = int(given["connections"]), bool(given.get("versions"))
        head = f"POST {given['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in given["headers"].items())
        self.requests = [
            f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode() for body in given["bodies"]
        ]
        self.numbers = count()
        self.until = 0.0
        self.latencies: list[float] = []
        self.answers: list[tuple[float, str]] = []  # when and by which version, where `versions`
        self.failures: list[str] = []

    def next(self) -> bytes:
        return self.requests[next(self.numbers) % len(self.requests)]


class Connection(asyncio.Protocol):
    """Asks, reads the answer to its end, asks again."""

    def __init__(self, plan: Plan, done: "asyncio.Future[None]") -> None:
        self.plan, self.done, self.read, self.needs, self.began = plan, done, b"", 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self.ask()

    def ask(self) -> None:
        if time.perf_counter() >= self.plan.until:
            self.transport.close()
            return
        self.read, self.needs, self.began = b"", 0, time.perf_counter()
        self.transport.write(self.plan.next())

    def data_received(self, data: bytes) -> None:
        self.read += data
        if not self.needs:
            end = self.read.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.read[:end].lower()
            at = head.index(b"content-length:") + 15
            self.needs = end + 4 + int(head[at : head.find(b"\r", at) if head.find(b"\r", at) > 0 else end])
        if len(self.read) >= self.needs:
            self.answered()
            self.ask()

    def answered(self) -> None:
        plan = self.plan
        if not self.read.startswith(b"HTTP/1.1 200"):
            plan.failures.append(self.read[:300].decode(errors="replace"))
            return
        plan.latencies.append(time.perf_counter() - self.began)
        if plan.versions:
            found = VERSION.search(self.read)
            plan.answers.append((time.time(), found.group(1).decode() if found else ""))

    def connection_lost(self, cause: Exception | None) -> None:
        if time.perf_counter() < self.plan.until:
            self.plan.failures.append(f"connection lost: {cause!r}")
        if not self.done.done():
            self.done.set_result(None)


class Nothing(asyncio.Protocol):
    """Answers each piece that comes without reading it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by class

    def data_received(self, data: bytes) -> None:
        self.transport.write(NOTHING)


async def ask(plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    plan.until = time.perf_counter() + plan.seconds
    ends = [loop.create_future() for _ in range(plan.connections)]
    for end in ends:
        await loop.create_connection(lambda end=end: Connection(plan, end), "127.0.0.1", plan.port)  # type: ignore[misc]
    await asyncio.gather(*ends)


def seen(plan: Plan) -> dict[str, Any]:
    taken = sorted(plan.latencies)
    return {
        "latencies_ms": [round(1000 * each, 3) for each in taken],
        "failures": plan.failures[:5],
        "failed": len(plan.failures),
        "answers": plan.answers,
    }


async def _serve_nothing(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Nothing, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "nothing":
        uvloop.run(_serve_nothing(int(sys.argv[2])))
    else:
        planned = Plan(json.loads(Path(sys.argv[1]).read_text()))
        uvloop.run(ask(planned))
        json.dump(seen(planned), sys.stdout)

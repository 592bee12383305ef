"""A target on this machine that answers as it is told to, and remembers what came."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from apps.integrations import wiring
from apps.webhooks.services import webhook_add
from fastloop_console.machine import env
from tests.conftest import NOON
from tests.rows import Sent


@dataclass
class Target:
    url: str
    status: int = 200
    slow_s: float = 0.0
    drips: bool = False
    location: str = ""
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def target() -> Iterator[Target]:
    told = Target("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(told.slow_s)
            self.send_response(told.status)
            if told.location:
                self.send_header("Location", told.location)
            self.end_headers()
            if told.drips:
                for _ in range(200):
                    self.wfile.write(b".")
                    self.wfile.flush()
                    time.sleep(0.05)
            self.wfile.write(b"thank you\x00")

        def log_message(self, *about: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *about: None  # type: ignore[method-assign]  # the client hangs up on one that drips
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/fastloop"
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    jobs = Sent([])
    monkeypatch.setattr(wiring, "jobs", jobs)
    return jobs


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator lets webhooks go to this machine."""
    monkeypatch.setattr(env, "outbound_private_hosts", lambda: ["127.0.0.1"])


@pytest.fixture
def hook(project, mona, target: Target, allowed: None, sent) -> Callable[..., Any]:
    def make(**more: Any) -> Any:
        given = {"name": "Ops", "url": target.url, "verbs": ["target.set"], "format": "standard"} | more
        return webhook_add(project=project, by=mona, at=NOON, console_url="https://fastloop.example/", **given)

    return make

"""Readers who ask for much and take nothing: others are answered at once, and nothing waits for the sleepers."""

import contextlib
import socket
import threading
import time

import httpx
import pytest
import uvicorn
from django.http import StreamingHttpResponse

from apps.accounts.models import User
from apps.errors import TooMany
from apps.pages import streams
from fastloop_console.machine import delivery, one_thread
from fastloop_console.machine.one_thread import OneThread
from fastloop_console.machine.ports import free_ports

SLEEPERS = 60
STATIC, STREAM = "/static/plotly/plotly.min.js", "/stream/"
LINES, LINE = 6000, b"x" * 1000


class Watched(OneThread):
    """The real handler; one address answers with a stream that tells when its maker has gone."""

    def __init__(self):
        super().__init__()
        self.made, self.delivered, self.fails = 0, 0, False

    def get_response(self, request):
        if request.path != STREAM:
            return super().get_response(request)
        response = StreamingHttpResponse(self._lines())
        response.after_delivery = self._is_delivered
        return response

    def _lines(self):
        for number in range(LINES):
            if self.fails and number == LINES // 2:
                raise ValueError("a row that cannot be written")
            yield LINE
        self.made += 1

    def _is_delivered(self):
        self.delivered += 1


@pytest.fixture
def served():
    handler = Watched()
    port = free_ports(1)[0]
    config = uvicorn.Config(handler, port=port, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield handler, port
    server.should_exit = server.force_exit = True
    thread.join(10)


@contextlib.contextmanager
def sleeping(port, path, number=SLEEPERS):
    sockets = []
    for _ in range(number):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", port))
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        sockets.append(one)
    try:
        yield sockets
    finally:
        for one in sockets:
            one.close()


def until(look, within_s=20.0):
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("path", [STATIC, STREAM])
def test_sixty_sleeping_readers_keep_nobody_waiting(served, path):
    handler, port = served
    for page in ("/sign-in/", STATIC):  # read for the first time
        httpx.get(f"http://127.0.0.1:{port}{page}", timeout=60)
    with sleeping(port, path):
        if path == STREAM:
            until(lambda: handler.made == SLEEPERS)  # made to the end, although nobody takes it
        time.sleep(0.5)
        assert min(seconds_for(port, "/sign-in/")[0] for _ in range(3)) < 1
        assert seconds_for(port, STATIC)[0] < 5
        assert len(seconds_for(port, STREAM)[1].content) == LINES * len(LINE)


def seconds_for(port, page):
    began = time.monotonic()
    answer = httpx.get(f"http://127.0.0.1:{port}{page}", timeout=10)
    assert answer.status_code == 200
    return time.monotonic() - began, answer


@pytest.mark.parametrize("path", [STATIC, STREAM])
def test_who_takes_nothing_is_cut_off(served, path, monkeypatch):
    monkeypatch.setattr(delivery, "TAKEN_WITHIN_S", 0.3)
    handler, port = served
    whole = len(seconds_for(port, path)[1].content)
    handler.delivered = 0
    with sleeping(port, path, 3) as sockets:
        until(lambda: path == STATIC or handler.delivered == 3)
        time.sleep(1)
        for one in sockets:
            one.settimeout(5)
            taken = 0
            with contextlib.suppress(ConnectionResetError):
                while part := one.recv(1_000_000):  # what the kernel held already
                    taken += len(part)
            assert taken < whole, "the rest was never sent, and the connection has ended"


def test_a_stream_that_breaks_off_does_not_look_whole(served):
    handler, port = served
    handler.fails = True
    with pytest.raises(httpx.HTTPError), httpx.stream("GET", f"http://127.0.0.1:{port}{STREAM}") as answer:
        for _ in answer.iter_bytes():
            pass


def test_a_body_that_does_not_come_ends_its_request(served, monkeypatch):
    monkeypatch.setattr(one_thread, "BODY_WITHIN_S", 0.3)
    _, port = served
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\nhalf")
        one.settimeout(5)
        assert one.recv(100) == b"", "the connection ends without an answer"


def test_a_person_takes_three_files_at_once_and_the_place_comes_back(settings):
    ada, grace = User(pk=1), User(pk=2)

    def take(by):
        return streams.streamed([b"x"], by=by, content_type="text/csv", filename="a.csv")

    held = [take(ada) for _ in range(streams.A_PERSON)]
    with pytest.raises(TooMany, match="on their way to you"):
        take(ada)
    held.append(take(grace))
    held[0].after_delivery()
    held.append(take(ada))
    with pytest.raises(TooMany):
        take(ada)


def test_a_process_has_places_for_some_people_only():
    held = [streams.streamed([b"x"], by=User(pk=n), content_type="text/csv", filename="a.csv") for n in range(12)]
    with pytest.raises(TooMany, match="Try again in a minute"):
        streams.streamed([b"x"], by=User(pk=99), content_type="text/csv", filename="a.csv")
    assert len(held) == streams.A_PROCESS

"""A web process that dies, and an upload that is too large."""

import socket
import threading

import httpx
import pytest

from fastloop_console.machine.upload_limit import LIMIT_SLACK, UploadLimit
from tests.console import Console, until
from tests.faults.labeling import Desk

pytestmark = pytest.mark.fault
TWO_GB = 2_000_000_000


def test_every_acknowledged_answer_survives_a_killed_web_process_once(console: Console, lin: httpx.Client) -> None:
    with console.client("ada") as ada:
        desk = Desk(console, ada, console.project(lin, "Handwritten digits"))
        before = desk.answered_today()
        desk.answer(4)
        dead = console.pid("web")
        killer = threading.Timer(0.1, console.kill, ("web",))
        killer.start()
        desk.answer(8)
        killer.join()
        assert console.pid("web") != dead
        assert desk.failures > 0, "nobody noticed that the web process was away"
        assert desk.answered_today() == before + 12
    assert desk.acknowledged.items() <= desk.stored().items()


@pytest.mark.parametrize(("accept", "kind"), [("text/html", "text/html"), ("application/json", "application/json")])
def test_a_declared_two_gigabytes_are_refused_before_a_byte_is_read(console: Console, accept: str, kind: str) -> None:
    head = (
        f"POST /projects/1/upload/ HTTP/1.1\r\nHost: 127.0.0.1:{console.port}\r\nAccept: {accept}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {TWO_GB}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", console.port), timeout=10) as wire:
        wire.sendall(head.encode())  # and nothing of the body
        answer = b""
        while b"once" not in answer and (part := wire.recv(65536)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
    assert f"content-type: {kind}".encode() in answer
    assert b"The upload has 2.0 GB; at most 1.0 GB are taken at once." in answer


def test_an_upload_that_does_not_say_its_length_is_cut_off_at_the_limit() -> None:
    import asyncio

    seen: list[dict[str, object]] = []

    async def app(scope: object, receive: object, send: object) -> None:
        while not seen or seen[-1]["type"] != "http.disconnect":
            seen.append(await receive())  # type: ignore[operator]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"x" * LIMIT_SLACK, "more_body": True}

    asyncio.run(UploadLimit(app, 3 * LIMIT_SLACK)({"type": "http", "headers": []}, receive, None))
    assert [x["type"] for x in seen] == ["http.request"] * 4 + ["http.disconnect"]


def test_the_pages_are_back_at_once_after_their_process_died(console: Console) -> None:
    console.kill("web")
    until(lambda: _answers(console), "the web process did not come back", within_s=30)


def _answers(console: Console) -> bool:
    try:
        return httpx.get(f"{console.url}/sign-in/", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False

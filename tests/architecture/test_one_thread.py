"""The handler of every request: whole answers, streams, and that one never keeps the other waiting."""

import asyncio
import threading

from django.http import HttpResponse, StreamingHttpResponse

from fastloop_console.machine.one_thread import AT_WORK, OneThread


async def ask(handler, path="/", body=b""):
    """The messages that a server would be given."""
    sent = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "root_path": "",
    }

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    await handler(scope, receive, send)
    return sent


def answering(monkeypatch, view):
    handler = OneThread()
    monkeypatch.setattr(handler, "get_response", view)
    return handler


def test_a_whole_answer_is_one_start_and_one_body(monkeypatch):
    handler = answering(monkeypatch, lambda request: HttpResponse(request.body[::-1], status=201))
    start, body = asyncio.run(ask(handler, body=b"abc"))
    assert (start["status"], body["body"]) == (201, b"cba")


def test_a_stream_is_made_in_the_thread_that_began_it(monkeypatch):
    threads = []

    def parts():
        for part in (b"one", b"two"):
            threads.append(threading.get_ident())
            yield part

    def view(_):
        threads.append(threading.get_ident())
        return StreamingHttpResponse(parts())

    sent = asyncio.run(ask(answering(monkeypatch, view)))
    assert b"".join(m.get("body", b"") for m in sent[1:]) == b"onetwo"
    assert "more_body" not in sent[-1]
    assert len(set(threads)) == 1, "a cursor of the database lives in one thread"


def test_streams_that_wait_for_their_readers_do_not_keep_others_waiting(monkeypatch):
    gate = threading.Event()

    def parts():
        gate.wait(10)
        yield b"late"

    def view(request):
        return StreamingHttpResponse(parts()) if request.path == "/stream/" else HttpResponse(b"at once")

    async def both():
        streams = [asyncio.create_task(ask(handler, "/stream/")) for _ in range(2 * AT_WORK)]
        await asyncio.sleep(0.2)
        quick = await asyncio.wait_for(ask(handler), 5)
        gate.set()
        return quick, await asyncio.gather(*streams)

    handler = answering(monkeypatch, view)
    quick, streams = asyncio.run(both())
    assert quick[1]["body"] == b"at once"
    assert all(s[1]["body"] == b"late" for s in streams)

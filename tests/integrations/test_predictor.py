"""A console shows the answers of its own predictor only, whoever else listens at the address."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from apps.integrations.ports import NotLoaded, PredictorState, Unavailable
from apps.integrations.predictor import HttpPredictor
from fastloop_console.machine.instance import EXTENSION, instance_id, predictor_key

OURS = instance_id("our key")
STRANGER = instance_id("another key")


class Server(ThreadingHTTPServer):
    """Answers every GET with `metadata` and every POST with `status` and `answer`."""

    metadata: Any = {}
    answer: Any = {}
    status = 200
    key = ""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._send(200, self.server.metadata)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.key = self.headers.get("authorization", "")
        self._send(self.server.status, self.server.answer)

    def _send(self, status: int, body: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    listening = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    settings.PREDICTOR_URL = f"http://127.0.0.1:{listening.server_port}"
    settings.INSTANCE_ID = OURS
    yield listening
    listening.shutdown()
    listening.server_close()


def metadata(instance: str) -> dict[str, Any]:
    return {"name": "kserve", "version": "1", "extensions": ["model_repository_extension", f"{EXTENSION}{instance}"]}


def answer(instance: str) -> dict[str, Any]:
    return {"outputs": [], "parameters": {"instance": instance}}


def ask() -> dict[str, object]:
    return HttpPredictor().infer(model="spam", request={"inputs": []})


def test_our_own_is_told_by_its_metadata(server: Server) -> None:
    server.metadata = metadata(OURS)
    assert HttpPredictor().state() == PredictorState.OURS


@pytest.mark.parametrize(
    "told",
    [metadata(STRANGER), {"name": "triton", "extensions": []}, {"extensions": 3}, [1], b"<html>It works!</html>"],
)
def test_whatever_else_answers_is_a_stranger(server: Server, told: Any) -> None:
    server.metadata = told
    assert HttpPredictor().state() == PredictorState.FOREIGN


def test_where_nobody_answers_it_is_absent(settings: Any) -> None:
    settings.PREDICTOR_URL = "http://127.0.0.1:1"
    assert HttpPredictor().state() == PredictorState.ABSENT
    with pytest.raises(Unavailable, match=r"The predictor at http://127\.0\.0\.1:1 does not answer\."):
        ask()


def test_our_own_answer_is_taken(server: Server) -> None:
    server.answer = answer(OURS)
    assert ask() == answer(OURS)


@pytest.mark.parametrize("body", [answer(STRANGER), {"outputs": []}, {"parameters": None}, [1], b"hello"])
def test_a_strangers_answer_is_refused_in_a_sentence(server: Server, body: Any) -> None:
    server.answer = body
    with pytest.raises(Unavailable) as refused:
        ask()
    assert "is not this console’s predictor. Set PREDICTOR_PORT or PREDICTOR_URL" in str(refused.value)
    assert not refused.value.permanent


def test_a_strangers_refusal_is_not_taken_for_ours(server: Server) -> None:
    server.status, server.answer, server.metadata = 404, {"error": "Model spam not found"}, metadata(STRANGER)
    with pytest.raises(Unavailable, match="is not this console’s predictor"):
        ask()
    server.metadata = metadata(OURS)
    with pytest.raises(NotLoaded, match="The predictor has not loaded the champion of spam yet") as loading:
        ask()
    assert not loading.value.permanent
    server.status, server.answer = 400, {"error": "The request lacks “age”."}
    with pytest.raises(Unavailable, match="The request lacks “age”") as refused:
        ask()
    assert refused.value.permanent


def test_our_own_is_sent_the_key_that_it_wants(server: Server, settings: Any) -> None:
    settings.PREDICTOR_KEY = predictor_key("our key")
    server.answer = answer(OURS)
    ask()
    assert server.key == f"Bearer {predictor_key('our key')}"

"""The way of most requests: JSON in, JSON out, past FastAPI and pydantic, which take longer than a small model does.

What is not plainly such a request goes on to kserve's own route with its body, and is answered or refused there as ever. The two
give the same answers; a test holds one against the other.
"""

import re
import time

import orjson
from kserve.errors import InvalidInput
from kserve.metrics import PREDICT_HIST_TIME
from kserve.model_repository import ModelRepository
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.predictor.models import ProjectModel
from workers.predictor.requests import HEADER, plain, plain_request

ASKED = re.compile(r"/v2/models/([^/]+)/infer")
JSON = (b"content-type", b"application/json")


class InferRoute:
    """An ASGI layer between the door and kserve."""

    def __init__(self, app: ASGIApp, *, repository: ModelRepository) -> None:
        self.app, self.repository = app, repository

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        model = self._model(scope)
        if model is None:
            await self.app(scope, receive, send)
            return
        body = await _whole(receive)
        if body is None:  # whoever asked has gone
            return
        request = plain_request(body)
        if request is None:
            await self.app(scope, _again(body, receive), send)
            return
        began = time.perf_counter()
        try:
            status, reply = 200, await model.reply(request)
        except InvalidInput as cause:
            status, reply = 400, {"error": plain(str(cause))}
        PREDICT_HIST_TIME.labels(model_name=model.name).observe(time.perf_counter() - began)
        content = orjson.dumps(reply)
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [JSON, length]})
        await send({"type": "http.response.body", "body": content})

    def _model(self, scope: Scope) -> ProjectModel | None:
        """Whom a request of JSON asks, where it serves."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        asked = ASKED.fullmatch(scope["path"])
        model = self.repository.get_model(asked.group(1)) if asked else None
        if not isinstance(model, ProjectModel) or not model.ready:
            return None
        return model if _is_json(scope) else None


def _is_json(scope: Scope) -> bool:
    """As FastAPI takes it to be; with a header of binary values, or of cloud events, it is kserve's."""
    media_type = b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            media_type = value
        elif name == HEADER.encode() or name.startswith(b"ce-"):
            return False
    return bool(media_type.split(b";")[0].strip().lower() == b"application/json")


async def _whole(receive: Receive) -> bytes | None:
    parts = list[bytes]()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, for the layer behind."""
    waiting = [body]

    async def once_more() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return once_more

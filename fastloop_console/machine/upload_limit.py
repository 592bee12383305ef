"""Refuse a body over the limit before it is read: Django's ASGI handler would first spool all of it to disk."""

import json
from typing import Any

LIMIT_SLACK = 1_000_000  # the other fields and the multipart borders


class UploadLimit:
    """ASGI middleware. A declared length over the limit is refused at once, an undeclared one when it gets there."""

    def __init__(self, app: Any, limit_bytes: int) -> None:
        self.app, self.limit = app, limit_bytes + LIMIT_SLACK

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.limit:
            await self._refuse(headers, int(declared), send)
            return
        await self.app(scope, self._counting(receive), send)

    def _counting(self, receive: Any) -> Any:
        seen = 0

        async def counted() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            return {"type": "http.disconnect"} if seen > self.limit else message

        return counted

    async def _refuse(self, headers: dict[bytes, bytes], size: int, send: Any) -> None:
        sentence = (
            f"The upload has {size / 1e9:.1f} GB; at most {(self.limit - LIMIT_SLACK) / 1e9:.1f} GB are taken at once. "
            "Nothing was stored. Split the file, or send batches to the API."
        )
        wants_json = b"json" in headers.get(b"accept", b"")
        body = json.dumps({"error": sentence, "code": "too_large"}) if wants_json else sentence
        kind = b"application/json" if wants_json else b"text/plain; charset=utf-8"
        await send(
            {
                "type": "http.response.start",
                "status": 413,
                "headers": [(b"content-type", kind), (b"connection", b"close")],
            }
        )
        await send({"type": "http.response.body", "body": body.encode()})

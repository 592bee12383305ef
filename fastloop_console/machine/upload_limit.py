"""Refuse a body over the limit before it is read: Django's ASGI handler would first spool all of it to disk."""

import asyncio
import json
from collections.abc import Callable, Mapping
from html import escape
from http import HTTPStatus
from typing import Any

LIMIT_SLACK = 1_000_000  # the other fields and the multipart borders
STRANGERS_BYTES = 1_000_000  # a sign-in is a hundred
NOT_SIGNED_IN = "Only somebody who is signed in, or sends a token, may send that much. Nothing was read."
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/static/console.css">
<main class="page"><h1>{title}</h1><p>{sentence}</p><p><a class="btn" href="/">Back to the console</a></p></main>
</html>
"""
Known = Callable[[Mapping[bytes, bytes]], bool]


class UploadLimit:
    """ASGI middleware. A declared length over the limit is refused at once, an undeclared one when it gets there.

    `known` says by the headers whether somebody sends who is signed in; everybody else sends little.
    """

    def __init__(self, app: Any, limit_bytes: int, known: Known = lambda headers: True) -> None:
        self.app, self.limit, self.known = app, limit_bytes + LIMIT_SLACK, known

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.limit:
            await self._refuse(scope, 413, "too_large", self._too_large(int(declared)), send)
            return
        large = not declared.isdigit() or int(declared) > STRANGERS_BYTES or b"transfer-encoding" in headers
        if not large or await asyncio.to_thread(self.known, headers):
            await self.app(scope, self._counting(receive, self.limit), send)
        elif b"transfer-encoding" in headers:
            await self.app(scope, self._counting(receive, STRANGERS_BYTES), send)
        else:
            await self._refuse(scope, 401, "not_authenticated", NOT_SIGNED_IN, send)

    def _too_large(self, size: int) -> str:
        return (
            f"The upload has {size / 1e9:.1f} GB; at most {(self.limit - LIMIT_SLACK) / 1e9:.1f} GB are taken at once. "
            "Nothing was stored. Split the file, or send batches to the API."
        )

    def _counting(self, receive: Any, limit: int) -> Any:
        seen = 0

        async def counted() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            return {"type": "http.disconnect"} if seen > limit else message

        return counted

    async def _refuse(self, scope: Mapping[str, Any], status: int, code: str, sentence: str, send: Any) -> None:
        kind, body = _said(scope, status, code, sentence)
        fields = [(b"content-type", kind), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body.encode()})


def _said(scope: Mapping[str, Any], status: int, code: str, sentence: str) -> tuple[bytes, str]:
    """A problem of RFC 9457 to a program, JSON to a script of ours, a page to a browser, else the sentence."""
    asked, title = dict(scope["headers"]).get(b"accept", b""), HTTPStatus(status).phrase
    if str(scope.get("path", "")).startswith("/api/"):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": sentence, "code": code}
        return b"application/problem+json", json.dumps(problem)
    if b"json" in asked:
        return b"application/json", json.dumps({"error": sentence, "detail": sentence, "code": code})
    if b"html" in asked:
        return b"text/html; charset=utf-8", PAGE.format(title=title, sentence=escape(sentence))
    return b"text/plain; charset=utf-8", sentence

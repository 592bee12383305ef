"""Who may ask the predictor, and for what: an ASGI layer in front of kserve that lets nothing else through.

kserve answers whoever reaches its port, also with routes that take a model away. Ours has the routes below, wants the
console's key for all that shows or asks a model, and answers no page of a browser, whatever name it reached us by.
"""

import hmac
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

MOST_BODY = 64_000_000  # bytes: 50 million pixels as a photo in base64, with room
ANYBODY = re.compile(r"^/(v2(/health/(live|ready))?)?$")
WITH_KEY = re.compile(r"^/(metrics|v2/models(/[^/]+(/ready)?)?)$")
ASKED = re.compile(r"^/v2/models/[^/]+/infer$")
NO_KEY = (
    "The predictor answers its console, and whoever sends its key as “Authorization: Bearer <key>”. "
    "`manage.py predictor_key` prints it; the console’s API needs a token only."
)
Refusal = tuple[int, str]


class Door:
    """`names` are the host names by which this predictor may be called, beside localhost and numbers."""

    def __init__(self, app: ASGIApp, *, key: str, names: Iterable[str], wants_key: bool = True) -> None:
        self.app, self._key, self._wants_key = app, key.encode(), wants_key
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await _say(send, *refusal)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if "origin" in headers:
            return 403, "The predictor answers programs, not pages in a browser. Ask the console’s API instead."
        if not self._is_ours(headers.get("host", "localhost")):
            return 421, "The predictor is not called by this name. PREDICTOR_URL says by which it is."
        methods, open_to_all = _route(scope["path"])
        if not methods:
            return 404, "The predictor has no such address."
        if scope["method"] not in methods:
            return 405, f"This address takes {' and '.join(sorted(methods))} only."
        if self._wants_key and not open_to_all and not self._has_key(headers.get("authorization", "")):
            return 401, NO_KEY
        return _refused_body(headers) if scope["method"] == "POST" else None

    def _is_ours(self, host: str) -> bool:
        """A number leads here or nowhere; only a name can be bent until it leads here."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        return name in self._names or _is_number(name)

    def _has_key(self, said: str) -> bool:
        scheme, _, key = said.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(key.strip().encode(), self._key)


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _route(path: str) -> tuple[frozenset[str], bool]:
    """The methods of an address, none where there is none, and whether anybody may ask."""
    if ASKED.match(path):
        return frozenset({"POST"}), False
    if ANYBODY.match(path):
        return frozenset({"GET", "HEAD"}), True
    return (frozenset({"GET", "HEAD"}), False) if WITH_KEY.match(path) else (frozenset(), False)


def _refused_body(headers: Mapping[str, str]) -> Refusal | None:
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        return 411, "The request does not say how long it is. Send “Content-Length”."
    if int(length[:20]) > MOST_BODY or len(length) > 20:
        return 413, f"The request is larger than {MOST_BODY // 1_000_000} MB. Ask about fewer rows at once."
    return None


async def _say(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    content = json.dumps({"error": sentence}).encode()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})

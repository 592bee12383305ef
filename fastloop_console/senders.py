"""Who sends a large body, asked before any of it is read: a session or a token that holds."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from django.conf import settings
from django.db import connections
from rest_framework.exceptions import AuthenticationFailed

from apps.live.sessions import person_of_session
from apps.people.token_access import GrantedTokenAuthentication


def is_known(headers: Mapping[bytes, bytes]) -> bool:
    """From a thread of no request, which gives its connection back."""
    try:
        return _has_token(headers) or person_of_session(_session_key(headers)) is not None
    finally:
        connections.close_all()


def _has_token(headers: Mapping[bytes, bytes]) -> bool:
    prefix, _, token = headers.get(b"authorization", b"").partition(b" ")
    if prefix.lower() != b"token" or not token.isascii():
        return False
    try:
        GrantedTokenAuthentication().authenticate_credentials(token.strip())
    except AuthenticationFailed:
        return False
    return True


def _session_key(headers: Mapping[bytes, bytes]) -> str | None:
    try:
        found = SimpleCookie(headers.get(b"cookie", b"").decode("latin1")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return found.value if found and found.value.isalnum() else None

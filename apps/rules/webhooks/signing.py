"""Signatures of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, a version and base64 before each."""

import base64
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

PREFIX = "whsec_"
SECRET_BYTES = 32  # the standard takes 24 to 64


def secret_made() -> str:
    """A new secret, as whoever receives writes it into their settings."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature_of(message_id: str, at: datetime, body: bytes, secrets_: Iterable[str]) -> str:
    """The header `webhook-signature`: one signature a secret, so that both fit while one replaces the other.

    >>> from datetime import UTC
    >>> signature_of("msg_1", datetime(2026, 11, 30, tzinfo=UTC), b"{}", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    'v1,SaWXka6le9FY+uGVLAcgOStMwty6kmLtlttkcEMqpH0='
    """
    signed = b".".join((message_id.encode(), str(int(at.timestamp())).encode(), body))
    return " ".join(f"v1,{_sum(secret, signed)}" for secret in secrets_)


def _sum(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()

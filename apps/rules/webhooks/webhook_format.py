"""What a format of webhooks is: a message in, a body out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.rules.webhooks.message import WebhookMessage


@dataclass(frozen=True, slots=True)
class WebhookFormat:
    """`title` is a brand or a standard and is not translated; `body` is JSON. `signed` says whether whoever receives it can
    check a signature: a chat takes what reaches its secret address."""

    name: str
    title: str
    body: Callable[[WebhookMessage], dict[str, Any]]
    content_type: str = "application/json"
    signed: bool = True

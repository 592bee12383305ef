"""Standard Webhooks: https://www.standardwebhooks.com."""

from typing import Any

from apps.rules.webhooks.message import WebhookMessage
from apps.rules.webhooks.webhook_format import WebhookFormat


def _body(message: WebhookMessage) -> dict[str, Any]:
    return {"type": message.type, "timestamp": message.at.isoformat(), "data": message.data}


STANDARD = WebhookFormat("standard", "Standard Webhooks", _body)

"""CloudEvents 1.0 in structured JSON, under the same signature."""

from typing import Any

from apps.rules.webhooks.message import WebhookMessage
from apps.rules.webhooks.webhook_format import WebhookFormat


def _body(message: WebhookMessage) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message.id,
        "source": f"/projects/{message.project_id}",
        "type": f"fastloop.{message.type}",
        "subject": message.subject or None,
        "time": message.at.isoformat(),
        "datacontenttype": "application/json",
        "data": message.data,
    }


CLOUDEVENTS = WebhookFormat("cloudevents", "CloudEvents 1.0", _body, "application/cloudevents+json")

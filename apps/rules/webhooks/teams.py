"""A workflow of Microsoft Teams that takes an Adaptive Card."""

from typing import Any

from apps.rules.webhooks.message import WebhookMessage
from apps.rules.webhooks.webhook_format import WebhookFormat


def _body(message: WebhookMessage) -> dict[str, Any]:
    """Texts go in as runs, which Teams shows as they are and does not read as Markdown."""
    runs = [
        {"type": "TextRun", "text": f"{message.project}: ", "weight": "bolder"},
        {"type": "TextRun", "text": message.sentence},
    ]
    card: dict[str, Any] = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [{"type": "RichTextBlock", "inlines": runs}],
    }
    if message.url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": message.url}]
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


TEAMS = WebhookFormat("teams", "Microsoft Teams", _body, signed=False)

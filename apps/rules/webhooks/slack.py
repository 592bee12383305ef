"""An incoming webhook of Slack: one line of its mrkdwn."""

from typing import Any

from apps.rules.webhooks.message import WebhookMessage
from apps.rules.webhooks.webhook_format import WebhookFormat

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _body(message: WebhookMessage) -> dict[str, Any]:
    """Names and notes that people wrote are escaped, so that none of them calls `<!channel>`."""
    project, sentence = message.project.translate(_ESCAPED), message.sentence.translate(_ESCAPED)
    text = f"*{project}*: {sentence}"
    return {"text": f"{text} <{message.url}|Open>" if message.url else text}


SLACK = WebhookFormat("slack", "Slack", _body, signed=False)

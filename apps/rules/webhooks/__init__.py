"""What is told to other systems when something happens, and how: bodies, signatures, when it is tried again."""

from apps.rules.webhooks.message import WebhookMessage
from apps.rules.webhooks.registry import WEBHOOK_FORMATS
from apps.rules.webhooks.retries import MOST_ATTEMPTS, pause_before
from apps.rules.webhooks.signing import secret_made, signature_of
from apps.rules.webhooks.webhook_format import WebhookFormat

__all__ = [
    "MOST_ATTEMPTS",
    "WEBHOOK_FORMATS",
    "WebhookFormat",
    "WebhookMessage",
    "pause_before",
    "secret_made",
    "signature_of",
]

"""Tell open pages to look again. Never carries content: the page fetches the fragment, which checks permission itself."""

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def look_again(topic: str, what: str, subject_id: int | None = None) -> None:
    """Send after commit. Redis being away costs freshness, never the transaction."""
    transaction.on_commit(lambda: send_now(topic, what, subject_id))


def send_now(topic: str, what: str, subject_id: int | None = None) -> None:
    try:
        layer = get_channel_layer()
        async_to_sync(layer.group_send)(topic, {"type": "look.again", "what": what, "id": subject_id})
    except (RedisError, OSError, TimeoutError) as cause:
        logger.warning("Open pages were not told about %s: %s", topic, cause)

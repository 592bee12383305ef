"""Jobs over Celery, by name only: the web process never imports a task that needs torch."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.integrations.ports import Unavailable

logger = logging.getLogger(__name__)


class CeleryJobs:
    def send(self, name: str, *, args: tuple[object, ...], queue: str) -> None:
        try:
            current_app.send_task(name, args=args, queue=queue, retry=False)
        except (OperationalError, RedisError, OSError) as cause:
            logger.warning("%s%s stays a row for now: Redis does not answer (%s).", name, args, cause)
            raise Unavailable("Redis does not answer.") from cause

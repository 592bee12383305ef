"""Jobs over Celery, by name only: the web process never imports a task that needs torch."""

import logging
from collections.abc import Sequence

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.integrations.integration import Integration, Port
from apps.integrations.ports import Unavailable

logger = logging.getLogger(__name__)
# A person waits for this, through three tries. With the workers' own patience a stopped Redis would cost 10 s a job.
IMPATIENT = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry_on_timeout": False}


class CeleryJobs:
    def send_group(self, name: str, *, each: Sequence[tuple[object, ...]], queue: str) -> None:
        from celery import group

        from fastloop_console.machine.celery import app

        try:
            with app.connection_for_write(transport_options=IMPATIENT) as connection:
                plain = str(
                    name
                )  # Celery takes what has a `name`, as a member of an enumeration has, for a task itself
                group(app.signature(plain, args=args, queue=queue, immutable=True) for args in each).apply_async(
                    connection=connection, retry=False
                )
        except (OperationalError, RedisError, OSError) as cause:
            logger.warning("%d × %s stay rows for now: Redis does not answer (%s).", len(each), name, cause)
            raise Unavailable("Redis does not answer.") from cause

    def send(self, name: str, *, args: tuple[object, ...], queue: str) -> None:
        from fastloop_console.machine.celery import app  # 30 MB that a web process needs at its first job, not before

        try:
            with app.connection_for_write(transport_options=IMPATIENT) as connection:
                app.send_task(name, args=args, queue=queue, retry=False, connection=connection)
        except (OperationalError, RedisError, OSError) as cause:
            logger.warning("%s%s stays a row for now: Redis does not answer (%s).", name, args, cause)
            raise Unavailable("Redis does not answer.") from cause


CELERY_JOBS = Integration("celery-jobs", "Celery over Redis", Port.JOBS, lambda address: CeleryJobs())

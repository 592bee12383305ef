"""The Celery application. Queues: `default` (quick, no torch), `training` and `embedding` (the torch worker)."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from kombu.exceptions import OperationalError

from fastloop_console.machine.without_pandas import keep_pandas_out

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")

app = Celery("fastloop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def pandas_kept_out(**about: Any) -> None:
    keep_pandas_out()


def workers_answering(*, timeout_s: float) -> set[str]:
    """The first part of the name of each worker that answers; none while Redis is away."""
    try:
        answers = app.control.ping(timeout=timeout_s)
    except (OperationalError, OSError):
        return set()
    return {next(iter(answer)).split("@")[0] for answer in answers}

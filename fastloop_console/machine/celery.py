"""The Celery application. Queues: `default` (quick, no torch), `training` and `embedding` (the torch worker)."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_init
from kombu.exceptions import OperationalError

from fastloop_console.machine import env
from fastloop_console.machine.without_pandas import keep_pandas_out
from fastloop_console.machine.worker_metrics import METRICS, metrics_served, task_begins, task_ends

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")

app = Celery("fastloop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def pandas_kept_out(**about: Any) -> None:
    keep_pandas_out()


@worker_init.connect
def figures_served(**about: Any) -> None:
    """Where WORKER_METRICS_PORT is set: at no price where it is not."""
    port = env.worker_metrics_port()
    if port:
        from django.conf import settings

        task_prerun.connect(_task_begins)
        task_postrun.connect(_task_ends)
        metrics_served(METRICS, host=env.worker_metrics_host(), port=port, key=settings.PREDICTOR_KEY)


def _task_begins(task_id: str, task: Any, **about: Any) -> None:
    task_begins(task_id, task.name)


def _task_ends(task_id: str, state: str | None = None, **about: Any) -> None:
    task_ends(task_id, state or "unknown")


def workers_answering(*, timeout_s: float) -> set[str]:
    """The first part of the name of each worker that answers; none while Redis is away."""
    try:
        answers = app.control.ping(timeout=timeout_s)
    except (OperationalError, OSError):
        return set()
    return {next(iter(answer)).split("@")[0] for answer in answers}

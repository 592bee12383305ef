"""Celery's entry for the torch worker: `celery -A workers.gpu worker -Q training,embedding`. On a GPU host, the same."""

import contextlib
import ctypes
import os
from typing import Any

import django
from celery.signals import task_postrun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
django.setup()

from fastloop_console.machine.celery import app  # noqa: E402  after Django is set up
from workers.tasks import (  # noqa: E402, F401  registers the tasks
    alarm_slice,
    auto_label,
    consensus,
    embed,
    encoders,
    evaluate,
    measure,
    online,
    score,
    suspects,
    train,
    trial,
    window_vectors,
)
from workers.training.learners import LEARNERS  # noqa: E402

len(LEARNERS)  # a package whose learner cannot be used is refused by name now, not in the middle of a run


@task_postrun.connect
def memory_give_back(**about: Any) -> None:
    """What a job freed goes back to the system: glibc would keep its peak for a next one that may be hours away."""
    with contextlib.suppress(OSError, AttributeError):  # no glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


__all__ = ["app"]

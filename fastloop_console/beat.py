"""The clock that sends the scheduled jobs. It needs their names and the broker, not Django: 60 MB less for the same ticks."""

import os

os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # Celery would set Django up where it finds one

from celery import Celery

from fastloop_console.settings import celery as settings

app = Celery("fastloop-beat")
app.config_from_object(settings, namespace="CELERY")

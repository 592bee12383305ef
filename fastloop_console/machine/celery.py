"""The Celery application. Queues: `default` (quick, no torch), `training` and `embedding` (the torch worker)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")

app = Celery("fastloop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

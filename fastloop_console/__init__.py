"""The Django project: settings, addresses, the two doors (ASGI and Celery). The product is in `apps` and `workers`."""

from fastloop_console.celery import app as celery_app

__all__ = ["celery_app"]

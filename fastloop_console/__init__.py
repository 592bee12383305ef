"""The Django project: settings, addresses, the two doors (ASGI and Celery). The product is in `apps` and `workers`."""

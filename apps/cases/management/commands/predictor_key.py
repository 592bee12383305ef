"""`manage.py predictor_key`: what a program sends that asks this console's predictor itself, past the API."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Print the key for requests to the predictor: curl -H “Authorization: Bearer $(manage.py predictor_key)”."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        self.stdout.write(settings.PREDICTOR_KEY)

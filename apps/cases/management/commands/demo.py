"""`manage.py demo`: the demo people and project; `up` runs it once the console answers."""

import time
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand

from apps.cases import demo
from apps.projects.roles import Role
from fastloop_console.machine import env

PREDICTOR_WITHIN_S = 60.0


class Command(BaseCommand):
    help = "Make the demo people and play two laps of the demo project. Does nothing where they are there."

    def handle(self, *args: Any, **options: Any) -> None:
        password = demo.password_in(env.home())
        demo.people_made(password)
        for username, _, role in demo.PEOPLE:
            self.stdout.write(f"  sign in as {username:<5} with {password}   ({Role(role).label.lower()})")
        self.stdout.flush()
        deadline = time.monotonic() + PREDICTOR_WITHIN_S
        while time.monotonic() < deadline and not _predictor_answers():
            time.sleep(0.5)
        self.stdout.write(demo.played())


def _predictor_answers() -> bool:
    try:
        return httpx.get(f"{settings.PREDICTOR_URL}/v2", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False

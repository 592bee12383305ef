"""`manage.py demo`: the demo people and project; `up` runs it once the console answers."""

import time
from typing import Any

from django.core.management.base import BaseCommand

from apps.cases import demo
from apps.cases.simulation.waiting import Wait
from apps.integrations import wiring
from apps.integrations.ports import PredictorState
from apps.projects.roles import Role
from fastloop_console.machine import env

PREDICTOR_WITHIN_S = 120.0


class Command(BaseCommand):
    help = "Make the demo people and play two laps of the demo project. Does nothing where they are there."

    def handle(self, *args: Any, **options: Any) -> None:
        password = demo.password_in(env.home())
        demo.people_made(password)
        for username, _, role in demo.PEOPLE:
            self.stdout.write(f"  sign in as {username:<5} with {password}   ({Role(role).label.lower()})")
        self.stdout.flush()
        deadline, wait = time.monotonic() + PREDICTOR_WITHIN_S, Wait(lambda: "the predictor")
        while time.monotonic() < deadline and wiring.predictor.state() != PredictorState.OURS:
            wait.look(attended=False)
            time.sleep(0.5)
        self.stdout.write(demo.played())

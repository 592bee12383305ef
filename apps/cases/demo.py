"""The demo: one person for each role, and a project of real handwritten digits on which scripted people play two laps.

Nothing in it is made up: the examples are scikit-learn's digits, the labels go through the queue, the models are trained.
"""

import secrets
from pathlib import Path

from django.utils import timezone

from apps.accounts.models import User
from apps.cases.simulation import people, rounds
from apps.cases.simulation.source import source_from
from apps.errors import DomainError
from apps.projects.membership import member_set
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.rules.acquisition import DEFAULT
from apps.training.services.triggers import trigger_set
from fastloop_console.machine.place import kept_once

NAME = "Handwritten digits"
PEOPLE = (
    ("ada", "Ada", Role.ANNOTATOR),
    ("rosa", "Rosa", Role.REVIEWER),
    ("mona", "Mona", Role.MANAGER),
    ("lin", "Lin", Role.ENGINEER),
    ("alma", "Alma", Role.ADMIN),
)
PLAN = rounds.SimulationPlan(strategy=DEFAULT, labels_per_round=60, rounds=2, annotators=2, seed=0, kind="incremental")


def password_in(home: Path) -> str:
    """One password for all demo people, made at the first start: a known one would be an open door."""
    kept = home / "demo_password"  # an empty one, of a full disk, is made anew
    return kept_once(kept, f"loop-{'-'.join(secrets.token_hex(2) for _ in range(4))}")


def people_made(password: str) -> None:
    for username, name, role in PEOPLE:
        if not User.objects.filter(username=username).exists():
            User.objects.create_user(
                username=username,
                password=password,
                display_name=name,
                may_create_projects=role in (Role.MANAGER, Role.ENGINEER, Role.ADMIN),
                is_staff=role == Role.ADMIN,
                is_superuser=role == Role.ADMIN,
            )


def played() -> str:
    """Make the project and play its laps, once; returns a sentence for the log."""
    if Project.objects.filter(name=NAME).exists():
        return f"the demo project “{NAME}” is there"
    engineer, source = people.engineer(), source_from("digits", target="label", ignore=[], seed=0)
    project = rounds.project_from(source, name=NAME, strategy=PLAN.strategy, by=engineer)
    for username, _, role in PEOPLE:
        member_set(project=project, username=username, role=role, by=engineer, at=timezone.now())
    last = ""
    try:
        for line in rounds.play(project, source, PLAN, by=engineer):
            last = (
                f"{line['labels']} labels, accuracy {line['accuracy']:.3f} on {len(source.test)} digits never labeled"
            )
    except (rounds.SimulationStopped, DomainError) as stopped:
        last = f"the demo stopped early: {stopped}"
    trigger_set(
        project=project, enabled=True, new_labels=50, debounce_s=20, kind="incremental", by=engineer, at=timezone.now()
    )
    return f"the demo project “{NAME}” was played: {last}"

"""Make and take away the secret address, and keep what a Label Studio says of itself when it asks."""

import secrets
from datetime import datetime

from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.letters import storable
from apps.label_studio.models import StudioBackend
from apps.label_studio.selectors import digest_of
from apps.projects import task_types
from apps.projects.access import refuse_archived
from apps.projects.models import Project
from apps.rules.sentences import cut, parts_of, sentence, words_of
from apps.rules.studio import MOST_CONFIG, StudioControl, StudioRefused, config_of, control_of

SECRET_BYTES = 24


@transaction.atomic
def backend_open(*, project: Project, by: User, at: datetime) -> str:
    """A new address, in place of one that there was. Returns its secret, which nothing keeps. Raises Invalid, DomainError."""
    held = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    refuse_archived(held)
    config_for(held)  # a project that Label Studio cannot ask about has no use for an address
    secret = secrets.token_urlsafe(SECRET_BYTES)
    fresh = {"digest": digest_of(secret), "made_by": by, "made_at": at, "seen_at": None, "studio": "", "config": ""}
    StudioBackend.objects.update_or_create(project=held, defaults={**fresh, "fault": "", "parts": {}})
    _told(held, Verb.STUDIO_OPENED, by, at, sentence("{by} made a new address for Label Studio.", by=by))
    return secret


@transaction.atomic
def backend_close(*, project: Project, by: User, at: datetime) -> None:
    """Whoever asks under the old address gets no answer from now on."""
    if StudioBackend.objects.filter(project=project).delete()[0]:
        _told(project, Verb.STUDIO_CLOSED, by, at, sentence("{by} took away Label Studio's address.", by=by))


def _told(project: Project, verb: Verb, by: User, at: datetime, words: str) -> None:
    event_record(
        project_id=project.pk, verb=verb, subject=f"project {project.pk}", by=by, at=at, sentence=words, after={}
    )


def config_for(project: Project) -> str:
    """A labeling configuration that asks what the project asks. Raises StudioRefused."""
    task = task_types.get(project.task_type)
    labels = project.labels.filter(retired_at=None).order_by("place", "position").values_list("name", "hotkey")
    return config_of(payload=task.payload.name, answer=task.answer.name, labels=list(labels))


def backend_seen(*, backend: StudioBackend, studio: str, config: str, at: datetime) -> StudioControl:
    """Keep with what it came; that is all that a page can tell of it. Raises StudioRefused where it does not fit."""
    task = task_types.get(backend.project.task_type)
    fault = ""
    try:
        return control_of(config, payload=task.payload.name, answer=task.answer.name)
    except StudioRefused as refused:
        fault = words_of(refused)
        raise
    finally:
        StudioBackend.objects.filter(pk=backend.pk).update(
            seen_at=at,
            studio=storable(studio)[:200],
            config=storable(config)[:MOST_CONFIG],
            fault=cut(fault, 400),
            parts=parts_of(fault),
        )

"""Give every new example its vectors, then have the queue ordered anew."""

import contextlib

from celery import shared_task

from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.loop.services.encoders import encoders_needed
from apps.projects.models import Project
from apps.training.jobs import Job, Queue
from workers.tasks.rows import vectors_complete


@shared_task(name=Job.EMBED)
def embed(project_id: int) -> None:
    """For the encoder of the model that orders the queue first, so that a change of encoder never stops it."""
    project = Project.objects.get(pk=project_id)
    new = sum(vectors_complete(project, encoder) for encoder in encoders_needed(project))
    if new:
        with contextlib.suppress(Unavailable):
            wiring.jobs.send(Job.SCORE, args=(project.pk,), queue=Queue.EMBEDDING)

"""Give every new example its vectors, then have the queue ordered anew."""

from apps.loop.services.encoders import encoders_needed
from apps.projects.selectors import project_of
from apps.work.jobs import ask, task
from apps.work.names import Job
from workers.tasks.rows import vectors_complete


@task(Job.EMBED)
def embed(project_id: int) -> None:
    """For the encoder of the model that orders the queue first, so that a change of encoder never stops it."""
    project = project_of(project_id)
    if project.archived_at is not None:
        return
    new = sum(vectors_complete(project, encoder) for encoder in encoders_needed(project))
    if new:
        ask(Job.SCORE, project.pk)

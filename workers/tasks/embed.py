"""Give every new text its vector."""

from celery import shared_task

from apps.projects.models import Project
from apps.training.jobs import Job
from workers.tasks.rows import vectors_complete


@shared_task(name=Job.EMBED)
def embed(project_id: int) -> None:
    vectors_complete(Project.objects.get(pk=project_id))

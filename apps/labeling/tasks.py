"""The jobs of the queue. Fetch, call one service, done: no rule lives here."""

from django.utils import timezone

from apps.labeling.services.resettling import resettle
from apps.work.jobs import task
from apps.work.names import Job


@task(Job.SETTLE)
def settle(project_id: int) -> None:
    resettle(project_id=project_id, by=None, at=timezone.now())

"""The quick jobs of the beat: find what a worker should look at again."""

from django.utils import timezone

from apps.quality import merging
from apps.work.jobs import task
from apps.work.names import Job


@task(Job.CONSENSUS_LOOK, expires=60)
def look() -> None:
    merging.consensus_check(at=timezone.now())

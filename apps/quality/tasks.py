"""The quick jobs of the beat: find what a worker should look at again."""

from celery import shared_task
from django.utils import timezone

from apps.labeling.jobs import QualityJob
from apps.quality import merging


@shared_task(name=QualityJob.LOOK, expires=60)
def look() -> None:
    merging.consensus_check(at=timezone.now())

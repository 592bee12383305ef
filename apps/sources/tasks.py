"""Jobs of the default queue: the look, and the reading of one partition. Fetch, call one service, done."""

from django.utils import timezone

from apps.sources.consuming import partition_read
from apps.sources.forgetting import sources_tidy
from apps.sources.looking import sources_look
from apps.work.alone import alone
from apps.work.jobs import task
from apps.work.names import Job


@task(Job.SOURCES_LOOK, expires=5)
def look() -> None:
    sources_look(at=timezone.now())


@task(Job.SOURCE_READ, expires=5)
def read(partition_id: int) -> None:
    partition_read(partition_id=partition_id)


@task(Job.SOURCES_TIDY, expires=300)
def tidy() -> None:
    with alone("sources_tidy"):
        sources_tidy(at=timezone.now())

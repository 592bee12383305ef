"""The quick jobs of the default queue and the beat. Fetch, call one service, done: no rule lives here."""

from celery import shared_task
from django.utils import timezone

from apps.lineage.mirror import mirror_all
from apps.loop import services
from apps.loop.jobs import LoopJob
from apps.loop.services.versions import versions_keep
from apps.training.services.online import online_check
from apps.training.services.runs import runs_sweep
from apps.training.services.sweeps import sweeps_check


@shared_task(name=LoopJob.INGEST)
def ingest(ingestion_id: int) -> None:
    services.ingestion_read(ingestion_id=ingestion_id)


@shared_task(name=LoopJob.SWEEP, expires=10)
def sweep() -> None:
    at = timezone.now()
    runs_sweep(at=at)
    sweeps_check(at=at)
    services.verdicts_sweep(at=at)
    services.ingestions_sweep(at=at)
    services.laps_close(at=at)
    services.scoring_sweep(at=at)


@shared_task(name=LoopJob.TRIGGERS, expires=10)
def triggers() -> None:
    services.triggers_check(at=timezone.now())
    services.auto_labels_check(at=timezone.now())


@shared_task(name=LoopJob.REFILL, expires=30)
def refill() -> None:
    services.everything_refilled(at=timezone.now())
    services.measures_check(at=timezone.now())


@shared_task(name=LoopJob.DRIFT, expires=300)
def drift() -> None:
    services.drift_check_all(at=timezone.now())
    services.vectors_sweep(at=timezone.now())
    services.candidates_sweep(at=timezone.now())
    versions_keep(at=timezone.now())


@shared_task(name=LoopJob.SCHEDULES, expires=60)
def schedules() -> None:
    services.schedules_check(at=timezone.now())


@shared_task(name=LoopJob.ONLINE, expires=60)
def online() -> None:
    online_check(at=timezone.now())


@shared_task(name=LoopJob.MIRROR, expires=60)
def mirror() -> None:
    mirror_all(at=timezone.now())

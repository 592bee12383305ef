"""The quick jobs of the default queue and the beat. Fetch, call one service, done: no rule lives here."""

from contextlib import suppress

from django.utils import timezone

from apps.features.services import encoders_sweep
from apps.labeling.services.resettling import resettlings_sweep
from apps.lineage.mirror import mirror_all
from apps.loop import services
from apps.loop.closing.deleting import deletion_work, deletions_sweep
from apps.loop.examples.services import vectors_clear, vectors_clear_sweep
from apps.loop.mending.services import alarms_mend
from apps.loop.returned import ReturnedLost, returned_sweep, returned_take
from apps.loop.services.versions import versions_keep
from apps.monitoring.feedback.services import feedback_sweep
from apps.monitoring.log.retention import log_forget
from apps.monitoring.monitors.recording import readings_forget
from apps.notices.hearing import notices_collect, notices_forget, notices_wake
from apps.notices.mailing import mails_ask, mails_forget
from apps.releases.registry.requests import requests_expire
from apps.releases.rollouts.moving import rollouts_advance
from apps.training.services.online import online_check
from apps.training.services.runs import runs_sweep
from apps.training.services.sweeps import sweeps_check
from apps.webhooks.sending import deliveries_ask
from apps.webhooks.services import deliveries_forget, webhooks_collect
from apps.work.alone import alone
from apps.work.jobs import task
from apps.work.names import Job


@task(Job.INGEST)
def ingest(ingestion_id: int) -> None:
    services.ingestion_read(ingestion_id=ingestion_id)


@task(Job.PROJECT_DELETE)
def project_delete(number: int) -> None:
    deletion_work(number=number)


@task(Job.VECTORS_CLEAR)
def vectors_of_deleted(project_id: int) -> None:
    vectors_clear(project_id=project_id, at=timezone.now())


@task(Job.RETURNED)
def returned(project_id: int) -> None:
    with suppress(ReturnedLost):  # another worker is at it
        returned_take(project_id=project_id)


@task(Job.SWEEP, expires=10)
def sweep() -> None:
    at = timezone.now()
    for part in (
        runs_sweep,
        sweeps_check,
        services.verdicts_sweep,
        services.ingestions_sweep,
        feedback_sweep,
        returned_sweep,
        rollouts_advance,
        alarms_mend,
        requests_expire,
        services.laps_close,
        services.scoring_sweep,
        resettlings_sweep,
        deletions_sweep,
        vectors_clear_sweep,
        webhooks_collect,
        deliveries_ask,
        notices_collect,
        notices_wake,
        mails_ask,
    ):
        with alone(part.__name__):
            part(at=at)


@task(Job.TRIGGERS, expires=10)
def triggers() -> None:
    services.triggers_check(at=timezone.now())


@task(Job.AUTO_LABELS_LOOK, expires=10)
def auto_labels() -> None:
    services.auto_labels_check(at=timezone.now())


@task(Job.REFILL, expires=30)
def refill() -> None:
    services.everything_refilled(at=timezone.now())


@task(Job.MEASURES_LOOK, expires=30)
def measures() -> None:
    services.measures_check(at=timezone.now())


@task(Job.DRIFT, expires=300)
def drift() -> None:
    services.drift_check_all(at=timezone.now())


@task(Job.TIDY, expires=300)
def tidy() -> None:
    """Vectors, candidates and versions that nothing needs any more, and encoders that wait for their check."""
    at = timezone.now()
    with alone("vectors_sweep"):
        services.vectors_sweep(at=at)
    with alone("encoders_sweep"):
        encoders_sweep(at)
    with alone("candidates_sweep"):
        services.candidates_sweep(at=at)
    with alone("log_forget"):
        log_forget(at=at)
    with alone("deliveries_forget"):
        deliveries_forget(at=at)
    with alone("notices_forget"):
        notices_forget(at=at)
    with alone("mails_forget"):
        mails_forget(at=at)
    with alone("readings_forget"):
        readings_forget(at=at)
    with alone("versions_keep"):
        versions_keep(at=at)


@task(Job.SCHEDULES, expires=60)
def schedules() -> None:
    services.schedules_check(at=timezone.now())


@task(Job.ONLINE_LOOK, expires=60)
def online() -> None:
    online_check(at=timezone.now())


@task(Job.MIRROR, expires=60)
def mirror() -> None:
    mirror_all(at=timezone.now())

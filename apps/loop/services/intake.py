"""Collect to annotate: examples come in, their vectors are asked for, the queue sees them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import fsspec
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets import readers
from apps.datasets import services as datasets
from apps.datasets.models import Ingestion, IngestionState
from apps.labeling.services.frontier import frontier_refill
from apps.labeling.services.labels import labels_share
from apps.loop.services.scoring import order_check, vectors_ask
from apps.projects.models import Project
from apps.projects.selectors import projects_in_use
from apps.rules.sentences import sentence, words_of
from apps.transfer.formats import read_with, suffixes
from apps.transfer.importing import Companions
from apps.transfer.mapping import FirstLook, asks, first_look, mapping_set
from apps.work.alone import alone
from apps.work.jobs import ask
from apps.work.names import Job

logger = logging.getLogger(__name__)


def upload_take(
    *,
    project: Project,
    filename: str,
    size_bytes: int,
    chunks: Iterable[bytes],
    by: User,
    at: datetime,
    may_ask: bool = False,
) -> Ingestion:
    """Keep an uploaded file and have it read by the default queue; the sweep finds it when Redis is away.

    With `may_ask` a file whose columns nobody knows waits until somebody has said what they are.
    """
    ingestion = datasets.upload_receive(
        project=project, filename=filename, size_bytes=size_bytes, chunks=chunks, by=by, at=at, suffixes=suffixes()
    )
    look = upload_look(ingestion) if may_ask else None
    if look is not None and asks(project, look):
        datasets.ingestion_hold(ingestion=ingestion)
    else:
        ingestion_send(ingestion.pk)
    return ingestion


def upload_look(ingestion: Ingestion) -> FirstLook | None:
    """The columns and first rows of a kept file; None where its reading will say what is wrong with it."""
    try:
        with fsspec.open(ingestion.url, "rb") as file:
            return first_look(ingestion.project, file, ingestion.url)
    except Exception:
        logger.exception("No first look at ingestion %s.", ingestion.pk)
        return None


def upload_mapped(
    *, ingestion: Ingestion, roles: Mapping[str, str], make_ids: bool, by: User, at: datetime
) -> Ingestion:
    """Remember what the columns are, and read the file that asked. Raises Invalid."""
    mapping_set(project=ingestion.project, roles=roles, make_ids=make_ids, by=by, at=at)
    if datasets.ingestion_release(ingestion=ingestion, at=at):
        ingestion_send(ingestion.pk)
    return ingestion


def upload_drop(*, ingestion: Ingestion, at: datetime) -> None:
    """A file that waits for its columns is not read after all."""
    if ingestion.state == IngestionState.MAPPING:
        datasets.ingestion_close(
            ingestion=ingestion, at=at, error=sentence("It was not read: nobody said what its columns are.")
        )


def ingestion_send(ingestion_id: int) -> None:
    ask(Job.INGEST, ingestion_id)


def ingestion_read(*, ingestion_id: int) -> None:
    """Read an uploaded file to its end, or to the sentence that says why not."""
    ingestion = datasets.ingestion_claim(ingestion_id=ingestion_id, at=timezone.now())
    if ingestion is None:
        return
    beside, error = Companions(ingestion.project, ingestion), ""
    try:
        with fsspec.open(ingestion.url, "rb") as file:
            ingestion.rows_expected = readers.rows_expected(file, ingestion.url)
            ingestion.save(update_fields=["rows_expected"])
        with fsspec.open(ingestion.url, "rb") as file:
            _take(ingestion, read_with(ingestion.project, file, ingestion.url), beside)
    except readers.FileUnreadable as cause:
        error = words_of(cause)
    except OSError as cause:
        error = sentence("The kept file could not be opened: {fault}", fault=cause)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the sweep sends it again, three times at most
    except Exception as cause:
        logger.exception("Ingestion %s could not be read.", ingestion.pk)
        error = _not_read(cause)
    _close(ingestion, beside, error)
    examples_follow_up(ingestion.project, at=timezone.now())


def batch_take(
    *, project: Project, rows: list[dict[str, object]], source: str, by: User | None, at: datetime
) -> Ingestion:
    """Take a batch of the API at once. Bad rows go to the dead letters; the answer counts them."""
    ingestion = datasets.ingestion_open(project=project, source=source, by=by, at=at)
    claimed = datasets.ingestion_claim(ingestion_id=ingestion.pk, at=at)
    assert claimed is not None  # nobody else knows its id yet
    beside = Companions(project, claimed)
    try:
        _take(claimed, (readers.Row(i, row) for i, row in enumerate(rows, start=1)), beside)
    except Exception as cause:
        _close(claimed, beside, _not_read(cause))
        raise
    _close(claimed, beside)
    examples_follow_up(project, at=timezone.now())
    return claimed


def _take(ingestion: Ingestion, rows: Iterable[readers.Row], beside: Companions) -> None:
    project = ingestion.project
    datasets.examples_ingest(
        ingestion=ingestion,
        rows=rows,
        now=timezone.now,
        beside=beside,
        on_repeated=lambda digests: _share_labels(project, digests),
    )


def _not_read(cause: Exception) -> str:
    return sentence(
        "The file could not be read to its end ({kind}). What came before is here; the console’s log says more.",
        kind=type(cause).__name__,
    )


def _close(ingestion: Ingestion, beside: Companions, error: str = "") -> None:
    datasets.ingestion_close(
        ingestion=ingestion, at=timezone.now(), error=error, left_out=beside.naming.left_out, beside=beside.counts
    )


def _share_labels(project: Project, digests: Sequence[str]) -> None:
    labels_share(project=project, digests=digests, at=timezone.now())


def examples_follow_up(project: Project, *, at: datetime) -> None:
    """After new examples: slots for people, vectors for the model."""
    frontier_refill(project=project, at=at, seed=_seed(at), redraw=True)
    vectors_ask(project.pk)


def ingestions_sweep(*, at: datetime) -> None:
    """Uploads whose message was lost, or whose reader died: read them now. Claiming makes a second reader do nothing."""
    waiting = Ingestion.objects.filter(
        state=IngestionState.QUEUED, received_at__lt=at - timedelta(seconds=20), project__archived_at=None
    ).exclude(url="")
    stalled = Ingestion.objects.filter(state=IngestionState.RUNNING, heartbeat_at__lt=at - datasets.STALLED).exclude(
        url=""
    )
    for ingestion in [*waiting, *stalled]:
        ingestion_send(ingestion.pk)


def everything_refilled(*, at: datetime) -> None:
    """Top up every queue. One project's fault does not keep the others waiting."""
    for project in projects_in_use():
        with alone("the queue", project):
            frontier_refill(project=project, at=at, seed=_seed(at))
            order_check(project=project, at=at)


def _seed(at: datetime) -> int:
    return int(at.timestamp()) % 2**31

"""Take examples in: once for each (project, external_id), bad rows to the dead letters, the holdout apart at once."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.batches import Beside, Intake, OnRepeated, batch_take
from apps.datasets.models import DeadLetter, Ingestion, IngestionState
from apps.datasets.readers import FileUnreadable, Row, suffix_of
from apps.errors import Invalid
from apps.integrations import wiring
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.models import Project

BATCH = 2000  # rows a transaction: progress is seen every fifth of a second
MAX_API_BATCH = 5000
STALLED = timedelta(minutes=2)  # a reader that has said nothing for so long is dead


@transaction.atomic
def ingestion_open(
    *, project: Project, source: str, by: User | None, at: datetime, filename: str = "", size_bytes: int = 0
) -> Ingestion:
    return Ingestion.objects.create(
        project=project, source=source, by=by, received_at=at, filename=filename[:200], size_bytes=size_bytes
    )


def upload_receive(
    *, project: Project, filename: str, size_bytes: int, chunks: Iterable[bytes], by: User, at: datetime
) -> Ingestion:
    """Keep the file and queue its reading. Raises Invalid when the name says that we cannot read it."""
    try:
        suffix = suffix_of(filename)
    except FileUnreadable as cause:
        raise Invalid(str(cause), field="file") from cause
    if size_bytes == 0:
        raise Invalid(gettext("“{filename}” is empty.").format(filename=filename), field="file")
    ingestion = ingestion_open(project=project, source="upload", by=by, at=at, filename=filename, size_bytes=size_bytes)
    ingestion.url = wiring.storage().write_stream(f"uploads/{project.pk}/{ingestion.pk}{suffix}", chunks)
    ingestion.save(update_fields=["url"])
    return ingestion


@transaction.atomic
def ingestion_claim(*, ingestion_id: int, at: datetime) -> Ingestion | None:
    """Start reading, once: None when somebody else reads it or has read it."""
    ingestion = Ingestion.objects.select_for_update(no_key=True).get(pk=ingestion_id)
    stalled = ingestion.heartbeat_at is not None and at - ingestion.heartbeat_at > STALLED
    if ingestion.state == IngestionState.COMPLETED or (ingestion.state == IngestionState.RUNNING and not stalled):
        return None
    DeadLetter.objects.filter(ingestion=ingestion).delete()  # a second reading counts afresh
    ingestion.state, ingestion.started_at, ingestion.heartbeat_at = IngestionState.RUNNING, at, at
    ingestion.rows_taken = ingestion.rows_known = ingestion.rows_refused = 0
    ingestion.error = ""
    ingestion.save()
    return ingestion


def examples_ingest(
    *,
    ingestion: Ingestion,
    rows: Iterable[Row],
    now: Callable[[], datetime],
    beside: Beside | None = None,
    on_repeated: OnRepeated | None = None,
) -> Ingestion:
    """Take every row that fits, in batches; `now` is asked once a batch. A batch is whole or not there.

    An example that shows what another one shows stands on the same side of the holdout, whatever its own id says: or a
    model would be judged by what it has learned by heart.
    """
    intake, source = Intake(ingestion, ingestion.project, beside, on_repeated), iter(rows)
    while batch := list(islice(source, BATCH)):
        with transaction.atomic():
            batch_take(intake, batch, now())
        look_again(Topic.PROJECT.of(ingestion.project_id), News.INGESTION, ingestion.pk)
    return ingestion


@transaction.atomic
def ingestion_close(*, ingestion: Ingestion, at: datetime, error: str = "") -> None:
    """Completed, or failed with a sentence; what was taken before the failure stays."""
    ingestion.state = IngestionState.FAILED if error else IngestionState.COMPLETED
    ingestion.finished_at, ingestion.error = at, error[:400]
    ingestion.save(update_fields=["state", "finished_at", "error"])
    who = str(ingestion.by) if ingestion.by else "System"
    what = ingestion.filename or f"a batch by {ingestion.source}"
    outcome = f"failed: {error}" if error else f"{ingestion.rows_taken:,} taken"
    event_record(
        project_id=ingestion.project_id,
        verb=Verb.EXAMPLES_INGESTED,
        subject=f"ingestion {ingestion.pk}",
        by=ingestion.by,
        at=at,
        sentence=f"{who} sent {what}: {outcome}, {ingestion.rows_known:,} known, {ingestion.rows_refused:,} refused.",
    )
    look_again(Topic.PROJECT.of(ingestion.project_id), News.INGESTION, ingestion.pk)

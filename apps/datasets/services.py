"""Take examples in: once for each (project, external_id), bad rows to the dead letters, the holdout apart at once."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.datasets.batches import Beside, Intake, OnRepeated, batch_take
from apps.datasets.letters import letter_of, storable
from apps.datasets.models import DeadLetter, Ingestion, IngestionState
from apps.datasets.readers import SUFFIXES, FileUnreadable, Row, suffix_of
from apps.errors import Invalid
from apps.integrations import wiring
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.sentences import refusal
from apps.projects.models import Project
from apps.rules.sentences import joined, parts_of, sentence, term

logger = logging.getLogger(__name__)
BATCH = 2000  # rows a transaction: progress is seen every fifth of a second
MAX_API_BATCH = 5000
MOST_ATTEMPTS = 3  # of reading one file
BESIDE = {  # in the words of the audit trail
    "labels": term("labels"),
    "gold": term("known answers"),
    "answers": term("rows of people’s answers"),
    "answers_of_others": term("answers in others’ names"),
}
STALLED = timedelta(minutes=2)  # a reader that has said nothing for so long is dead


@transaction.atomic
def ingestion_open(
    *, project: Project, source: str, by: User | None, at: datetime, filename: str = "", size_bytes: int = 0
) -> Ingestion:
    return Ingestion.objects.create(
        project=project, source=source, by=by, received_at=at, filename=filename[:200], size_bytes=size_bytes
    )


@transaction.atomic
def ingestion_flow(*, project: Project, source: str, by: User | None, at: datetime, filename: str) -> Ingestion:
    """Where rows of a stream are counted, a few at a time: nobody waits for its end, so it counts as done between them."""
    ingestion = ingestion_open(project=project, source=source, by=by, at=at, filename=filename)
    ingestion.state, ingestion.started_at, ingestion.finished_at = IngestionState.COMPLETED, at, at
    ingestion.save(update_fields=["state", "started_at", "finished_at"])
    return ingestion


def upload_receive(
    *,
    project: Project,
    filename: str,
    size_bytes: int,
    chunks: Iterable[bytes],
    by: User,
    at: datetime,
    suffixes: Sequence[str] = SUFFIXES,
) -> Ingestion:
    """Keep the file and queue its reading. Raises Invalid when the name says that we cannot read it."""
    try:
        suffix = suffix_of(filename, suffixes)
    except FileUnreadable as cause:
        raise Invalid(refusal(cause), field="file") from cause
    if size_bytes == 0:
        raise Invalid(gettext("“{filename}” is empty.").format(filename=filename), field="file")
    ingestion = ingestion_open(project=project, source="upload", by=by, at=at, filename=filename, size_bytes=size_bytes)
    ingestion.url = wiring.storage().write_stream(f"uploads/{project.pk}/{ingestion.pk}{suffix}", chunks)
    ingestion.save(update_fields=["url"])
    return ingestion


@transaction.atomic
def ingestion_hold(*, ingestion: Ingestion) -> None:
    """Read it only when somebody has said what its columns are."""
    ingestion.state = IngestionState.MAPPING
    ingestion.save(update_fields=["state"])


@transaction.atomic
def ingestion_release(*, ingestion: Ingestion, at: datetime) -> bool:
    """Its columns are known now, so it may be read; False where it did not wait."""
    waiting = Ingestion.objects.filter(pk=ingestion.pk, state=IngestionState.MAPPING)
    return bool(waiting.update(state=IngestionState.QUEUED, received_at=at))


@transaction.atomic
def ingestion_claim(*, ingestion_id: int, at: datetime) -> Ingestion | None:
    """Start reading, once: None when somebody else reads it or has read it, or its readers died too often."""
    ingestion = Ingestion.objects.select_for_update(no_key=True).get(pk=ingestion_id)
    stalled = ingestion.heartbeat_at is not None and at - ingestion.heartbeat_at > STALLED
    if ingestion.state not in (IngestionState.QUEUED, IngestionState.RUNNING, IngestionState.FAILED):
        return None
    if ingestion.state == IngestionState.RUNNING and not stalled:
        return None
    if ingestion.attempts >= MOST_ATTEMPTS:
        if ingestion.state != IngestionState.FAILED:
            words = sentence(
                "Its reading ended {n} times before the end of the file, so it is not read again. Split the file and "
                "send it anew.",
                n=ingestion.attempts,
            )
            ingestion_close(ingestion=ingestion, at=at, error=words)
        return None
    DeadLetter.objects.filter(ingestion=ingestion).delete()  # a second reading counts afresh
    ingestion.state, ingestion.started_at, ingestion.heartbeat_at = IngestionState.RUNNING, at, at
    ingestion.rows_taken = ingestion.rows_known = ingestion.rows_refused = 0
    ingestion.error, ingestion.error_parts, ingestion.left_out = "", {}, {}
    ingestion.attempts += 1
    ingestion.save()
    return ingestion


def examples_ingest(
    *,
    ingestion: Ingestion,
    rows: Iterable[Row],
    now: Callable[[], datetime],
    beside: Beside | None = None,
    on_repeated: OnRepeated | None = None,
    drawn: bool = True,
) -> Ingestion:
    """Take every row that fits, in batches; `now` is asked once a batch. A batch is whole or not there.

    An example that shows what another one shows stands on the same side of the holdout, whatever its own id says: or a
    model would be judged by what it has learned by heart.
    """
    intake, source = Intake(ingestion, ingestion.project, beside, on_repeated, drawn), iter(rows)
    while batch := list(islice(source, BATCH)):
        _taken_or_split(intake, batch, now())
        look_again(Topic.PROJECT.of(ingestion.project_id), News.INGESTION, ingestion.pk)
    return ingestion


def _taken_or_split(intake: Intake, batch: Sequence[Row], at: datetime) -> None:
    """A batch that cannot be stored is halved until the row that is at fault stands alone, and is refused."""
    try:
        with transaction.atomic():
            batch_take(intake, batch, at)
    except (OperationalError, InterfaceError):
        raise  # the database is away, not the row at fault
    except Exception as cause:
        intake.ingestion.refresh_from_db(fields=["rows_taken", "rows_known", "rows_refused"])
        if len(batch) > 1:
            half = len(batch) // 2
            _taken_or_split(intake, batch[:half], at)
            _taken_or_split(intake, batch[half:], at)
            return
        logger.exception("Row %s of ingestion %s cannot be stored.", batch[0].number, intake.ingestion.pk)
        words = sentence(
            "The row could not be stored, for a reason that nobody foresaw; the console’s log has it. ({fault})",
            fault=type(cause).__name__,
        )
        row_refuse(ingestion=intake.ingestion, row=batch[0], reason=words, at=at)


@transaction.atomic
def row_refuse(*, ingestion: Ingestion, row: Row, reason: str, at: datetime) -> None:
    """Keep one row as refused that nothing expected to fail."""
    letter_of(ingestion, row, reason, at).save()
    ingestion.rows_refused += 1
    ingestion.heartbeat_at = at
    ingestion.save(update_fields=["rows_refused", "heartbeat_at"])


@transaction.atomic
def ingestion_close(
    *,
    ingestion: Ingestion,
    at: datetime,
    error: str = "",
    left_out: Mapping[str, str] | None = None,
    beside: Mapping[str, int] | None = None,
) -> None:
    """Completed, or failed with a sentence; what was taken before the failure stays.

    `left_out` are columns that were not kept, each with why; `beside` counts labels and answers that came with the rows.
    """
    ingestion.state = IngestionState.FAILED if error else IngestionState.COMPLETED
    ingestion.finished_at, ingestion.error, ingestion.left_out = at, error[:400], dict(left_out or {})
    ingestion.error_parts = storable(parts_of(error))
    ingestion.save(update_fields=["state", "finished_at", "error", "error_parts", "left_out"])
    counts = {name: n for name, n in (beside or {}).items() if n}
    who = str(ingestion.by) if ingestion.by else term("System")
    what = ingestion.filename or sentence("a batch by {source}", source=ingestion.source)
    taken = sentence("{taken:,} taken", taken=ingestion.rows_taken)
    outcome = sentence("failed: {error}", error=error) if error else taken
    event_record(
        project_id=ingestion.project_id,
        verb=Verb.EXAMPLES_INGESTED,
        subject=f"ingestion {ingestion.pk}",
        by=ingestion.by,
        at=at,
        sentence=sentence(
            "{who} sent {what}: {outcome}, {rows_known:,} known, {rows_refused:,} refused{beside}.",
            who=who,
            what=what,
            outcome=outcome,
            rows_known=ingestion.rows_known,
            rows_refused=ingestion.rows_refused,
            beside=_with(counts),
        ),
        after=counts,
    )
    look_again(Topic.PROJECT.of(ingestion.project_id), News.INGESTION, ingestion.pk)


def _with(counts: Mapping[str, int]) -> str:
    listed = [sentence("{n:,} {what}", n=n, what=BESIDE[name]) for name, n in counts.items() if name in BESIDE]
    return sentence("; with {listed}", listed=joined(listed, ", ")) if listed else ""

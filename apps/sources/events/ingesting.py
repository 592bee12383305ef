"""Rows of events through the intake of files and the API: the same checks, the same refused rows, the same people's rights."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from apps.datasets import services as datasets
from apps.datasets.models import DeadLetter, Example, Ingestion
from apps.datasets.readers import Row
from apps.labeling.services.labels import labels_share
from apps.rules.sentences import Sentence, sentence
from apps.sources.events.event_kind import EventOutcome, EventRow, OutcomeState
from apps.sources.models import SourcePartition
from apps.transfer.importing import Companions

INGESTION = timedelta(hours=1)  # events of so long are one ingestion, so that a stream is no thousand of them a day


def ingested(
    partition: SourcePartition,
    rows: Sequence[EventRow],
    at: datetime,
    values_of: Callable[[EventRow], dict[str, object] | None],
) -> list[EventOutcome]:
    """Take rows as examples with what is said beside them. Within the caller's transaction."""
    project, ingestion = partition.source.project, ingestion_of(partition, at)
    before, taken_before = ingestion.rows_read, ingestion.rows_taken
    numbered = [Row(before + i, values_of(r), r.reason, r.raw) for i, r in enumerate(rows, start=1)]
    datasets.examples_ingest(
        ingestion=ingestion,
        rows=numbered,
        now=lambda: at,
        beside=Companions(project, ingestion),
        on_repeated=lambda digests: _share(partition, digests, at),
    )
    letters = {x.row_number: x for x in DeadLetter.objects.filter(ingestion=ingestion, row_number__gt=before)}
    left = ingestion.rows_taken - taken_before
    outcomes = list[EventOutcome]()
    for row in numbered:
        letter = letters.get(row.number)
        if letter is not None:
            outcomes.append(EventOutcome(OutcomeState.REFUSED, _reason(letter)))
        else:  # the intake counts taken and known of a batch and does not say which rows these are
            outcomes.append(EventOutcome(OutcomeState.TAKEN if left > 0 else OutcomeState.KNOWN))
            left -= 1
    return outcomes


def ingestion_of(partition: SourcePartition, at: datetime) -> Ingestion:
    """The ingestion of this hour, opened where there is none; the one before is closed with its counts."""
    ingestion = partition.ingestion
    if ingestion is not None and at - ingestion.received_at < INGESTION and ingestion.by_id == partition.source.by_id:
        return ingestion
    if ingestion is not None:
        datasets.ingestion_close(ingestion=ingestion, at=at)
    source = partition.source
    made = datasets.ingestion_flow(project=source.project, source="stream", by=source.by, at=at, filename=source.name)
    partition.ingestion = made
    return made


def _share(partition: SourcePartition, digests: Sequence[str], at: datetime) -> None:
    labels_share(project=partition.source.project, digests=digests, at=at)


def _reason(letter: DeadLetter) -> str:
    return Sentence(letter.reason, letter.parts) if letter.parts else letter.reason


def here(partition: SourcePartition, external_ids: Sequence[str]) -> set[str]:
    """Which of these ids examples of the project have."""
    rows = Example.objects.filter(project=partition.source.project_id, external_id__in=set(external_ids))
    return set(rows.values_list("external_id", flat=True))


NOT_HERE = sentence("No example has this id yet.")

"""Take one batch of events: rows, dead letters, figures and the next position in one transaction, under the partition's lease.

Whatever dies between two lines here leaves all of it or nothing, so no event is lost and none is taken twice.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext

from apps.datasets.erasing import erased_among
from apps.datasets.letters import storable
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.projects.access import permissions_of
from apps.rules.sentences import parts_of, sentence, words_of
from apps.rules.values import ValueRefused
from apps.sources.events import EVENT_KINDS, EventKind, EventOutcome, EventRow, OutcomeState, external_id_of
from apps.sources.kinds import StreamEvent
from apps.sources.models import Source, SourceLetter, SourceMinute, SourcePartition, SourceState
from apps.sources.parsing import event_read, mapped, misfit, shape_of
from apps.sources.states import source_fail
from apps.work.leases import Lease, LeaseLost

MOST_MISFITS = 5  # in a row: one odd event is a dead letter, five are another schema
MOST_RAW = 2000
WAITS_FOR = timedelta(days=7)  # as feedback waits for its answer
FIRST_TRY, RAREST = timedelta(seconds=1), timedelta(minutes=10)


class PartitionLost(LeaseLost):
    """Another worker reads it, or somebody moved or paused it: stop, and write nothing more."""

    code = "partition_lost"


LEASE = Lease(timedelta(seconds=30), PartitionLost)


@dataclass(slots=True)
class EventBatch:
    """What was made of the events read at once. `last` is the position after the last one that counts."""

    rows: list[EventRow] = field(default_factory=list)
    last: str = ""
    misfits: int = 0
    failed: str = ""  # the sentence that stops the source
    shape: dict[str, str] = field(default_factory=dict)


@transaction.atomic
def partition_take(
    *, partition_id: int, owner: uuid.UUID, events: Sequence[StreamEvent], at: datetime
) -> Counter[OutcomeState]:
    """What became of the events. Raises PartitionLost, and then nothing of them is written."""
    partition = _owned(partition_id, owner)
    source, kind = partition.source, EVENT_KINDS[partition.source.events]
    if why := may_not(source, kind):
        source_fail(source=source, reason=why, at=at)
        return Counter()
    batch = _read(source, kind, partition.misfits, events)
    outcomes = kind.take(partition, batch.rows, at) if batch.rows else []
    _letters(partition, list(zip(batch.rows, outcomes, strict=True)), at)
    counts = Counter(each.state for each in outcomes)
    _count(source, counts, at)
    partition.misfits = 0 if batch.failed else batch.misfits
    if batch.last:
        partition.position, partition.read_at = batch.last, at
    partition.leased_until = at + LEASE.length
    partition.save(update_fields=["position", "read_at", "misfits", "ingestion", "leased_until"])
    if batch.shape and not source.shape:
        Source.objects.filter(pk=source.pk, shape={}).update(shape=batch.shape)
    if batch.failed:
        source_fail(source=source, reason=batch.failed, at=at)
    look_again(Topic.PROJECT.of(source.project_id), News.SOURCE, source.pk)
    return counts


@transaction.atomic
def waiting_take(*, partition_id: int, owner: uuid.UUID, at: datetime, most: int = 500) -> int:
    """Try what waits for its example once more; how many no longer wait."""
    partition = _owned(partition_id, owner)
    due = SourceLetter.objects.filter(partition=partition, next_try_at__lte=at).order_by("pk")[:most]  # as they came
    letters = list(due)
    if not letters:
        return 0
    kind = EVENT_KINDS[partition.source.events]
    outcomes = kind.take(partition, [EventRow(x.offset, x.row, raw=x.raw) for x in letters], at)
    partition.save(update_fields=["ingestion"])
    ended = [x for x, outcome in zip(letters, outcomes, strict=True) if _settled(x, outcome, at)]
    counts = Counter[OutcomeState](o.state for o in outcomes if o.state != OutcomeState.WAITING)
    _count(partition.source, counts, at)
    return len(ended)


def _settled(letter: SourceLetter, outcome: EventOutcome, at: datetime) -> bool:
    if outcome.state in (OutcomeState.TAKEN, OutcomeState.KNOWN):
        letter.delete()
        return True
    age = at - letter.at
    if outcome.state == OutcomeState.WAITING and age < WAITS_FOR:
        letter.next_try_at = at + min(max(age, FIRST_TRY), RAREST)
        letter.save(update_fields=["next_try_at"])
        return False
    reason = (
        outcome.reason
        if outcome.state == OutcomeState.REFUSED
        else sentence("No example with this id came within {days} days.", days=WAITS_FOR.days)
    )
    letter.reason, letter.parts = storable(str(reason))[:300], storable(parts_of(reason))
    letter.row = letter.next_try_at = None
    letter.save(update_fields=["reason", "parts", "row", "next_try_at"])
    return True


def _owned(partition_id: int, owner: uuid.UUID) -> SourcePartition:
    """Locked; its source and ingestion are read after that, so that a change which the lock waited for is seen."""
    words = gettext("Another worker reads this, or it was stopped.")
    partition = LEASE.owned(SourcePartition.objects.filter(pk=partition_id), owner, words)
    source = Source.objects.select_related("project", "by").get(pk=partition.source_id)
    if not is_read(source):
        raise PartitionLost(words)
    partition.source = source
    return partition


def is_read(source: Source) -> bool:
    """Whether its events are taken now."""
    return source.state == SourceState.RUNNING and not source.project.archived_at and not source.project.deleting_since


def may_not(source: Source, kind: EventKind) -> str:
    """Why the person that the source acts for may not bring such events any more; empty where they may."""
    if source.by is None:
        return sentence("The person it acts for is gone. Set it up again in your own name.")
    if not kind.needs & permissions_of(source.by, source.project_id):
        return sentence(
            "{by}, in whose name it reads, may not bring {events} into this project.", by=source.by, events=kind.noun
        )
    return ""


def _read(source: Source, kind: EventKind, misfits: int, events: Iterable[StreamEvent]) -> EventBatch:
    batch = EventBatch(misfits=misfits)
    paths = [source.mapping[n] for n in kind.paths if n in source.mapping] if source.mapping else list(kind.paths)
    unsure: list[EventRow] = []  # of another shape; they count once one fits again, or the batch ends before the limit
    for event in events:
        raw = event.value[:MOST_RAW].decode("utf-8", "replace")
        try:
            if event.fault:
                raise ValueRefused(event.fault)
            found = event_read(event.value)
        except ValueRefused as refused:
            batch.rows += [*unsure, EventRow(event.offset, None, words_of(refused), raw)]
            unsure, batch.last = [], event.offset
            continue
        differs = misfit(found, source.shape or batch.shape)
        if differs is not None:
            batch.misfits += 1
            words = sentence("It is not of the shape that this source had: {diff}.", diff=differs)
            if batch.misfits >= MOST_MISFITS:
                batch.failed = sentence(
                    "The events have changed: {diff}. Look at the mapping, then let it go on.", diff=differs
                )
                return batch
            unsure.append(EventRow(event.offset, mapped(found, source.mapping), words, raw))
            continue
        batch.misfits = 0
        batch.rows += [*unsure, EventRow(event.offset, mapped(found, source.mapping), raw=raw)]
        unsure, batch.last = [], event.offset
        batch.shape = batch.shape or shape_of(found, paths)
    batch.rows += unsure
    batch.last = unsure[-1].offset if unsure else batch.last
    return batch


def _letters(partition: SourcePartition, found: Sequence[tuple[EventRow, EventOutcome]], at: datetime) -> None:
    """A replay brings the same event again: its letter is written anew, and goes where it was taken now."""
    kept = [(row, out) for row, out in found if out.state in (OutcomeState.REFUSED, OutcomeState.WAITING)]
    gone = [row.offset for row, out in found if out.state in (OutcomeState.TAKEN, OutcomeState.KNOWN)]
    before = SourceLetter.objects.filter(partition=partition)
    if before.exists():  # a thousand offsets are only asked for where there is one to find
        before.filter(offset__in=gone).delete()
    ids = {row.offset: external_id_of(row.values) for row, _ in kept}
    erased = erased_among(partition.source.project, {x for x in ids.values() if x})  # of whom nothing is kept again
    letters = [
        SourceLetter(
            source_id=partition.source_id,
            partition=partition,
            offset=row.offset,
            reason=storable(str(out.reason))[:300],
            parts=storable(parts_of(out.reason)),
            external_id="" if ids[row.offset] in erased else storable(ids[row.offset]),
            raw="" if ids[row.offset] in erased else storable(row.raw),
            row=storable(dict(row.values)) if out.state == OutcomeState.WAITING and row.values is not None else None,
            at=at,
            next_try_at=at + FIRST_TRY if out.state == OutcomeState.WAITING else None,
        )
        for row, out in kept
    ]
    SourceLetter.objects.bulk_create(
        letters,
        update_conflicts=True,
        unique_fields=["partition", "offset"],
        update_fields=["external_id", "reason", "parts", "raw", "row", "at", "next_try_at"],
    )


def _count(source: Source, counts: Counter[OutcomeState], at: datetime) -> None:
    if not counts:
        return
    table = connection.ops.quote_name(SourceMinute._meta.db_table)
    columns = ("taken", "known", "refused", "waiting")
    sums = ", ".join(f"{c} = m.{c} + EXCLUDED.{c}" for c in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS m (source_id, minute, {', '.join(columns)}, behind, behind_s)"
            f" VALUES (%s, %s, %s, %s, %s, %s, 0, 0) ON CONFLICT (source_id, minute) DO UPDATE SET {sums}",
            [source.pk, at.replace(second=0, microsecond=0), *(counts[OutcomeState(c)] for c in columns)],
        )

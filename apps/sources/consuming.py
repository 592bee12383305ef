"""The job that reads one partition: a few seconds at most, so that no other job waits for it; the look asks again.

Offsets come from PostgreSQL and never from the broker. While events keep coming the job waits a moment for the next, so that
an event is a row within a tenth of a second; a quiet stream costs one look a second.
"""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.integrations.ports import Unavailable
from apps.loop.services.intake import examples_follow_up
from apps.rules.registry import UnknownName
from apps.sources.events import OutcomeState
from apps.sources.kinds import SOURCE_KINDS, EventStream
from apps.sources.models import Source, SourcePartition, SourceState
from apps.sources.states import source_fail, source_unavailable
from apps.sources.taking import LEASE, PartitionLost, partition_take, waiting_take
from apps.work.jobs import ask
from apps.work.names import Job

logger = logging.getLogger(__name__)
TAKES_FOR_S = 5.0  # then others have their turn
LINGERS_S = 0.25  # for the next event, while this job has its time
FEWEST, MOST = 20, 1_000  # events at once: few until it is seen that they are small
MOST_BYTES_AT_ONCE = 16_000_000
FOLLOW_UP_S = 2.0  # slots and vectors are asked for so often while events come
Now = Callable[[], datetime]


def stream_of(source: Source) -> EventStream:
    """Raises UnknownName where the package is gone that added the kind, Unavailable where it lacks something here."""
    kind = SOURCE_KINDS[source.kind]
    if why := kind.lacks():
        raise Unavailable(why, permanent=True)
    return kind.open(source.project_id, source.place)


def partition_read(
    *, partition_id: int, now: Now = timezone.now, takes_for_s: float = TAKES_FOR_S
) -> Counter[OutcomeState]:
    """Take what waits, for a few seconds; counts what became of it. Nothing where another worker has it."""
    counts, more = Counter[OutcomeState](), False
    partition = _claimed(partition_id, now())
    if partition is None or partition.owner is None:
        return counts
    owner, source = partition.owner, partition.source
    try:
        waiting_take(partition_id=partition_id, owner=owner, at=now())
        more = _drain(partition, owner, counts, now, time.monotonic() + takes_for_s)
    except PartitionLost:
        pass
    except UnknownName as cause:
        source_fail(source=source, reason=str(cause), at=now())
    except Unavailable as cause:
        source_unavailable(source, cause, at=now())
    finally:
        SourcePartition.objects.filter(pk=partition_id, owner=owner).update(leased_until=None)
    if more and not _others_wait(partition, now()):
        ask(Job.SOURCE_READ, partition_id)  # at once, not at the next look
    return counts


def _drain(partition: SourcePartition, owner: uuid.UUID, counts: Counter[OutcomeState], now: Now, until: float) -> bool:
    """Whether only the time was up."""
    stream, position, most = stream_of(partition.source), partition.position, FEWEST
    followed, fresh = 0.0, False
    try:
        while time.monotonic() < until:
            events = stream.read(partition.name, position, most=most, wait_s=LINGERS_S)
            if not events:
                return False
            taken = partition_take(partition_id=partition.pk, owner=owner, events=events, at=now())
            counts.update(taken)
            if not taken:
                return False  # it stopped
            position, most = events[-1].offset, _next_most(most, sum(len(e.value) for e in events))
            fresh = fresh or bool(taken[OutcomeState.TAKEN])
            if fresh and time.monotonic() - followed > FOLLOW_UP_S:
                examples_follow_up(partition.source.project, at=now())
                followed, fresh = time.monotonic(), False
        return True
    finally:
        stream.close()
        if fresh:
            examples_follow_up(partition.source.project, at=now())


def _next_most(most: int, size: int) -> int:
    """As many as fit the memory: what came at once says how large the next are."""
    return max(FEWEST, most // 4) if size > MOST_BYTES_AT_ONCE else min(MOST, most * 4)


def _others_wait(partition: SourcePartition, at: datetime) -> bool:
    """Whether events wait in another partition that nobody reads: then the look chooses who waits longest."""
    waiting = SourcePartition.objects.filter(source__state=SourceState.RUNNING, behind__gt=0).exclude(pk=partition.pk)
    return waiting.exclude(leased_until__gte=at).exists()


@transaction.atomic
def _claimed(partition_id: int, at: datetime) -> SourcePartition | None:
    """Held for this worker; None where it is held, or its source does not run."""
    rows = SourcePartition.objects.select_related("source__project").filter(
        pk=partition_id,
        source__state=SourceState.RUNNING,
        source__project__archived_at=None,
        source__project__deleting_since=None,
    )
    partition = rows.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
    if partition is None or partition.is_held(at):
        return None
    LEASE.take(partition, at)
    partition.save(update_fields=["owner", "leased_until"])
    return partition

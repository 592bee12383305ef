"""The look, once a second: how far each source is behind, and a job for each partition where something waits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

from apps.integrations.ports import Unavailable
from apps.projects.selectors import projects_in_use
from apps.rules.registry import UnknownName
from apps.rules.sentences import parts_of, sentence
from apps.sources.consuming import stream_of
from apps.sources.kinds import EventStream, StreamLag
from apps.sources.models import Source, SourceLetter, SourceMinute, SourcePartition, SourceState
from apps.sources.states import source_answers, source_fail, source_unavailable
from apps.work.alone import alone
from apps.work.jobs import ask
from apps.work.names import Job

READERS = 2  # partitions that are read at once, so that quick jobs of others find a thread of the three


def sources_look(*, at: datetime) -> int:
    """How many partitions a job was asked for; the one that waits longest first."""
    wanted: list[tuple[float, int]] = []
    running = Source.objects.filter(state=SourceState.RUNNING, project__in=projects_in_use())
    for source in running.exclude(retry_at__gt=at):
        with alone("a source", source):
            wanted += _looked(source, at)
    held = SourcePartition.objects.filter(leased_until__gte=at).count()
    chosen = sorted(wanted, reverse=True)[: max(0, READERS - held)]
    return sum(ask(Job.SOURCE_READ, pk) for _, pk in chosen)


def _looked(source: Source, at: datetime) -> list[tuple[float, int]]:
    """Seconds that the oldest waits, and the key, of each partition that nobody reads and where something does."""
    try:
        stream = stream_of(source)
        names = stream.partitions()
    except UnknownName as cause:
        source_fail(source=source, reason=str(cause), at=at)
        return []
    except Unavailable as cause:
        source_unavailable(source, cause, at=at)
        return []
    partitions = _partitions(source, names)
    late = SourceLetter.objects.filter(partition__in=partitions, next_try_at__lte=at)
    due = dict.fromkeys(late.values_list("partition_id", flat=True), 0.0)
    for partition in partitions:
        try:
            lag = _lag(source, stream, partition, at)
        except Unavailable as cause:
            source_unavailable(source, cause, at=at)
            return []
        if lag.events:
            due[partition.pk] = lag.seconds
    source_answers(source)
    busy = {p.pk for p in partitions if p.is_held(at)}
    return [(seconds, pk) for pk, seconds in due.items() if pk not in busy]


def _partitions(source: Source, names: Sequence[str]) -> list[SourcePartition]:
    """A row for each; of new ones too. One that the stream has no more keeps its position and is not read."""
    have = set(source.partitions.values_list("name", flat=True))
    new = [SourcePartition(source=source, name=name) for name in names if name not in have]
    SourcePartition.objects.bulk_create(new, ignore_conflicts=True)
    return list(source.partitions.filter(name__in=names))


def _lag(source: Source, stream: EventStream, partition: SourcePartition, at: datetime) -> StreamLag:
    """What waits, written down. Raises Unavailable."""
    end_before = partition.end_seen
    lag = stream.lag(partition.name, partition.position, at=at)
    _torn(source, stream, partition, lag, at)
    changed = (lag.events, lag.oldest, end_before) != (partition.behind, partition.waits_from, partition.end_seen)
    stale = partition.looked_at is None or at - partition.looked_at >= timedelta(seconds=5)
    if changed or stale:
        SourcePartition.objects.filter(pk=partition.pk).update(
            behind=lag.events, behind_s=lag.seconds, waits_from=lag.oldest, looked_at=at, end_seen=partition.end_seen
        )
        _behind(source, lag, at)
    return lag


def _torn(source: Source, stream: EventStream, partition: SourcePartition, lag: StreamLag, at: datetime) -> None:
    """Where the stream was cut: what waited is gone, which is said and read past; or it was made anew and ends before us."""
    waited = partition.waits_from
    if lag.lost:
        _cut_off(partition, lag.lost, lag.oldest, at)
    if waited and (not partition.position or stream.is_before(partition.position, waited)) and lag.oldest != waited:
        oldest = stream.ends(partition.name).oldest
        if not oldest or stream.is_before(waited, oldest):
            _cut_off(partition, waited, oldest, at)
    if lag.events or not partition.position:
        partition.end_seen = ""
        return
    newest = stream.ends(partition.name).newest
    if not newest or not stream.is_before(newest, partition.position):
        partition.end_seen = ""
        return
    if partition.end_seen and partition.end_seen != newest:  # events come, and none of them would ever be read
        source_fail(
            source=source,
            reason=sentence(
                "It was read up to {ours}, but the newest event is {newest}: the stream was made anew. Choose from where to "
                "read it again.",
                ours=partition.position,
                newest=newest,
            ),
            at=at,
        )
    partition.end_seen = newest


def _cut_off(partition: SourcePartition, waited: str, oldest: str, at: datetime) -> None:
    reason = sentence(
        "Events from {waited} on were removed from the stream before they were read. It goes on at {oldest}.",
        waited=waited,
        oldest=oldest or "…",
    )
    # not where somebody took them meanwhile and they were removed after that
    if SourcePartition.objects.filter(pk=partition.pk, position=partition.position).exists():
        SourceLetter.objects.get_or_create(
            partition=partition,
            offset=waited,
            defaults={
                "source_id": partition.source_id,
                "reason": reason,
                "parts": parts_of(reason),
                "raw": "",
                "at": at,
            },
        )


def _behind(source: Source, lag: StreamLag, at: datetime) -> None:
    table = connection.ops.quote_name(SourceMinute._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS m (source_id, minute, taken, known, refused, waiting, behind, behind_s)"
            " VALUES (%s, %s, 0, 0, 0, 0, %s, %s) ON CONFLICT (source_id, minute) DO UPDATE SET"
            " behind = greatest(m.behind, EXCLUDED.behind), behind_s = greatest(m.behind_s, EXCLUDED.behind_s)",
            [source.pk, at.replace(second=0, microsecond=0), lag.events, lag.seconds],
        )

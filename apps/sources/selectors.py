"""Sources with how they fare, their dead letters, and a look at their newest events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext

from apps.errors import NotFound
from apps.integrations.ports import Unavailable
from apps.projects.models import Project
from apps.rules.registry import UnknownName
from apps.rules.sentences import parts_of, words_of
from apps.rules.values import ValueRefused, shown
from apps.sources.consuming import stream_of
from apps.sources.events import EVENT_KINDS
from apps.sources.kinds import SOURCE_KINDS
from apps.sources.models import Source, SourceLetter, SourceMinute, SourcePartition, SourceState
from apps.sources.parsing import event_read, mapped, misfit, nothing_at

PREVIEWED = 10  # newest events
RECENT = timedelta(minutes=5)  # for a rate
STALE = timedelta(seconds=15)  # after which what a look said is old


@dataclass(frozen=True)
class SourceLine:
    """One source in words: how far it is behind, events a minute, dead letters, what waits for its example."""

    source: Source
    behind: int
    behind_s: float
    rate: float
    letters: int
    waiting: int
    read_at: datetime | None

    @property
    def events_title(self) -> str:
        """What its events are, in the reader's words."""
        kind = EVENT_KINDS.get(self.source.events)
        return str(kind.title) if kind else self.source.events

    @property
    def is_behind(self) -> bool:
        return self.source.state == SourceState.RUNNING and self.behind > 0


@dataclass(frozen=True)
class Previewed:
    """One of the newest events: as it came, under our names, and why it would be refused."""

    offset: str
    at: datetime
    raw: str
    values: Mapping[str, str]
    reason: str

    @property
    def reason_parts(self) -> Mapping[str, Any]:
        return parts_of(self.reason)


def sources_of(project: Project) -> QuerySet[Source]:
    return Source.objects.filter(project=project).select_related("project", "by")


def sources_with_partitions(project: Project) -> QuerySet[Source]:
    return sources_of(project).prefetch_related("partitions")


def source_of(project: Project, source_id: int) -> Source:
    """Raises NotFound."""
    found = sources_of(project).filter(pk=source_id).first()
    if found is None:
        raise NotFound(gettext("There is no such source in this project."))
    return found


def source_lines(project: Project, at: datetime, *, only: Source | None = None) -> list[SourceLine]:
    sources = [only] if only else list(sources_of(project))
    keys = [source.pk for source in sources]
    partitions = list(SourcePartition.objects.filter(source__in=keys))
    letters = SourceLetter.objects.filter(source__in=keys).order_by().values("source_id")
    counted = {
        x["source_id"]: x
        for x in letters.annotate(
            dead=Count("pk", filter=Q(next_try_at=None)), waiting=Count("pk", filter=Q(next_try_at__isnull=False))
        )
    }
    minutes = list(SourceMinute.objects.filter(source__in=keys, minute__gte=at - RECENT))
    return [_line(source, [p for p in partitions if p.source_id == source.pk], counted, minutes) for source in sources]


def _line(
    source: Source, partitions: list[SourcePartition], counted: Mapping[int, Any], minutes: list[SourceMinute]
) -> SourceLine:
    counts = counted.get(source.pk, {"dead": 0, "waiting": 0})
    came = sum(m.taken + m.known + m.refused + m.waiting for m in minutes if m.source_id == source.pk)
    read = [p.read_at for p in partitions if p.read_at]
    return SourceLine(
        source,
        sum(p.behind for p in partitions),
        max((p.behind_s for p in partitions), default=0.0),
        came / (RECENT.total_seconds() / 60),
        counts["dead"],
        counts["waiting"],
        max(read, default=None),
    )


def partitions_of(source: Source) -> QuerySet[SourcePartition]:
    return SourcePartition.objects.filter(source=source)


def letters_of(source: Source) -> QuerySet[SourceLetter]:
    """Newest first: dead ones, and those that wait."""
    return SourceLetter.objects.filter(source=source).select_related("partition")


def minutes_of(source: Source, since: datetime) -> list[SourceMinute]:
    return list(SourceMinute.objects.filter(source=source, minute__gte=since))


def preview_of(source: Source, mapping: Mapping[str, str] | None = None) -> list[Previewed]:
    """The newest events under a mapping, the source's own where none is given. Nothing is taken. Raises Unavailable."""
    stream = stream_of(source)
    events = [event for name in stream.partitions() for event in stream.newest(name, PREVIEWED)]
    events = sorted(events, key=lambda event: event.at)[-PREVIEWED:]
    return [_previewed(source, event, source.mapping if mapping is None else mapping) for event in events]


def _previewed(source: Source, event: Any, mapping: Mapping[str, str]) -> Previewed:
    raw = event.value[:2000].decode("utf-8", "replace").replace("\x00", "␀")
    try:
        if event.fault:
            raise ValueRefused(event.fault)
        found = event_read(event.value)
    except ValueRefused as refused:
        return Previewed(event.offset, event.at, raw, {}, words_of(refused))
    values = {name: shown(value, 120) for name, value in mapped(found, mapping).items()}
    absent = [path for name, path in mapping.items() if name not in values]
    if absent:
        return Previewed(event.offset, event.at, raw, values, nothing_at(absent[0]))
    return Previewed(event.offset, event.at, raw, values, misfit(found, source.shape) or "")


def preview_or_none(source: Source) -> tuple[list[Previewed], str]:
    """The preview, or why there is none."""
    try:
        return preview_of(source), ""
    except Unavailable as cause:
        return [], words_of(cause)
    except UnknownName as cause:
        return [], str(cause)


def sent_by_hand(source: Source) -> list[str]:
    """Commands that send an event; none where the package is gone that reads it."""
    kind = SOURCE_KINDS.get(source.kind)
    return kind.by_hand(source.project_id, source.place) if kind else []

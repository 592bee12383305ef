"""Set sources up, change what their events mean, read them again from somewhere, and try them without taking anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.errors import Invalid, NotFound
from apps.integrations.ports import Unavailable
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.pages.sentences import in_words, refusal
from apps.projects.models import Project
from apps.rules.sentences import parts_of, sentence
from apps.rules.values import ValueRefused, moment_of, name_of
from apps.sources.consuming import stream_of
from apps.sources.events import EVENT_KINDS
from apps.sources.kinds import SOURCE_KINDS, EventStream
from apps.sources.models import Source, SourcePartition, SourceState
from apps.sources.parsing import MOST_BYTES
from apps.sources.selectors import preview_of
from apps.sources.states import source_told
from apps.sources.taking import may_not

MOST_SOURCES = 20  # of a project
MOST_NAME, MOST_PATH = 80, 200
MOST_PUSHED = 1_000  # events of one call
BEGINNING, END = "beginning", "end"


def source_add(
    *,
    project: Project,
    name: str,
    kind: str,
    place: Mapping[str, Any],
    events: str,
    mapping: Mapping[str, str],
    by: User,
    at: datetime,
    paused: bool = False,
) -> Source:
    """It reads from the beginning of the stream, in the name of `by`. Raises Invalid."""
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if Source.objects.filter(project=project).count() >= MOST_SOURCES:
            raise Invalid(gettext("A project has at most {n} sources.").format(n=MOST_SOURCES))
        source = Source(project=project, by=by, created_at=at, state_since=at, kind=kind, events=events)
        source.state = SourceState.PAUSED if paused else SourceState.RUNNING
        _set(source, name=name, place=place, mapping=mapping)
        _permitted(source)
        _saved(source)
        source_told(
            source,
            Verb.SOURCE_ADDED,
            by=by,
            at=at,
            words=sentence("{by} set up the source “{name}”.", by=by, name=source.name),
        )
    return source


def source_change(*, source: Source, by: User, at: datetime, **given: Any) -> Source:
    """Set what is given of name, place and mapping; it acts for `by` from now on. Raises Invalid.

    With another place it reads that one from its beginning; with another mapping the shape of events is learned anew.
    """
    with transaction.atomic():
        partitions = SourcePartition.objects.filter(source=source)
        list(partitions.select_for_update(no_key=True).values_list("pk"))  # before the source, as whoever takes a batch
        kept = _locked(source)
        before, place = kept.mapping, kept.place
        now = {"name": kept.name, "place": kept.place, "mapping": kept.mapping} | given
        _set(kept, **now)
        kept.by = by
        _permitted(kept)
        if kept.mapping != before:
            kept.shape = {}
            partitions.update(misfits=0)
        if kept.place != place:
            partitions.delete()
        _saved(kept)
        source_told(
            kept,
            Verb.SOURCE_CHANGED,
            by=by,
            at=at,
            words=sentence("{by} changed the source “{name}”.", by=by, name=kept.name),
        )
    return kept


def source_remove(*, source: Source, by: User, at: datetime) -> None:
    """What it brought stays; how far it read and its dead letters go."""
    with transaction.atomic():
        list(SourcePartition.objects.filter(source=source).select_for_update(no_key=True).values_list("pk"))
        kept = _locked(source)
        words = sentence("{by} removed the source “{name}”.", by=by, name=kept.name)
        source_told(kept, Verb.SOURCE_REMOVED, by=by, at=at, words=words)
        kept.delete()


def source_replay(*, source: Source, since: str, by: User, at: datetime) -> None:
    """Read again from a moment, an offset, “beginning” or “end”. What was taken is known and does nothing again.

    Whoever reads it now loses its lease, so nothing is written under the old position. Raises Invalid.
    """
    stream = _asked(source)
    with transaction.atomic():
        for partition in source.partitions.select_for_update(of=("self",), no_key=True).order_by("pk"):
            partition.position = _position(stream, partition.name, since, at)
            partition.owner = partition.leased_until = None
            partition.misfits, partition.end_seen, partition.waits_from = 0, "", ""
            partition.save()
        words = sentence("{by} has “{name}” read again from {place}.", by=by, name=source.name, place=since)
        _replay_told(source, by=by, at=at, since=since, words=words)


def events_push(*, source: Source, events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Put events into the source's own stream; their offsets. They are kept there and read like any other. Raises Invalid."""
    if not 0 < len(events) <= MOST_PUSHED:
        raise Invalid(gettext("Send 1 to {most:,} events at once.").format(most=MOST_PUSHED), field="events")
    values = [orjson.dumps(each) for each in events]
    if any(len(value) > MOST_BYTES for value in values):
        raise Invalid(gettext("An event has at most {most:,} bytes.").format(most=MOST_BYTES), field="events")
    stream = _asked(source)
    try:
        return stream.write(values)
    except Unavailable as cause:
        raise SourceAway(refusal(cause)) from None


class SourceAway(Invalid):
    """The broker did not take or give anything; nothing was changed."""

    code = "source_away"
    http_status = 503


@dataclass(frozen=True)
class SourceTrial:
    """What a look without taking anything says: whether it would work, and why not."""

    fine: bool
    words: str


def source_test(*, source: Source) -> SourceTrial:
    """In words: whether the stream answers, what is in it, and whether its newest events would be taken."""
    if why := may_not(source, EVENT_KINDS[source.events]):
        return SourceTrial(False, why)
    try:
        stream = stream_of(source)
        empty = all(not stream.ends(name).newest for name in stream.partitions())
        shown = preview_of(source)
    except Unavailable as cause:
        return SourceTrial(False, refusal(cause))
    if empty:
        return SourceTrial(True, sentence("The stream answers, and nothing was ever sent to it."))
    bad = [each for each in shown if each.reason]
    if bad:
        words = sentence(
            "{n} of its {all} newest events would be refused, the newest because: {reason}",
            n=len(bad),
            all=len(shown),
            reason=bad[-1].reason,
        )
        return SourceTrial(False, words)
    return SourceTrial(True, sentence("The stream answers, and its {n} newest events can be read.", n=len(shown)))


def _replay_told(source: Source, *, by: User, at: datetime, since: str, words: str) -> None:
    event_record(
        project_id=source.project_id,
        verb=Verb.SOURCE_REPLAYED,
        subject=f"source {source.pk}",
        by=by,
        at=at,
        sentence=words,
        after={"name": source.name, "place": since[:60]},
    )
    look_again(Topic.PROJECT.of(source.project_id), News.SOURCE, source.pk)


def _asked(source: Source) -> EventStream:
    """Its stream. Raises Invalid where the package of its kind is gone."""
    if source.kind not in SOURCE_KINDS:
        raise Invalid(gettext("What reads this kind of source is not installed any more."))
    return stream_of(source)


def _position(stream: EventStream, partition: str, since: str, at: datetime) -> str:
    try:
        if since == BEGINNING:
            return ""
        if since == END:
            return stream.ends(partition).newest
        if "T" in since or ":" in since or since.count("-") == 2:
            moment = moment_of(since, now=at)
            return stream.position_at(partition, moment) if moment else ""
        return stream.position_given(since)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="since") from None
    except Unavailable as cause:
        raise SourceAway(refusal(cause)) from None


def _set(source: Source, *, name: str, place: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
    """Raises Invalid."""
    try:
        source.name = name_of(name, gettext("The name"), MOST_NAME)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="name") from None
    if source.kind not in SOURCE_KINDS:
        known = ", ".join(SOURCE_KINDS)
        raise Invalid(gettext("The kind is one of {known}.").format(known=known), field="kind")
    if why := SOURCE_KINDS[source.kind].lacks():
        raise Invalid(in_words(why, parts_of(why)), field="kind")
    if source.events not in EVENT_KINDS:
        known = ", ".join(EVENT_KINDS)
        raise Invalid(gettext("Events are one of {known}.").format(known=known), field="events")
    try:
        source.place = SOURCE_KINDS[source.kind].place(place)
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="place") from None
    source.mapping = _mapping(mapping)


def _mapping(given: Mapping[str, str]) -> dict[str, str]:
    found = {str(name).strip(): str(path).strip() for name, path in given.items() if str(path).strip()}
    for name, path in found.items():
        if not name or len(name) > MOST_NAME or len(path) > MOST_PATH or "\x00" in name + path:
            words = gettext("A mapping says for a name of ours the path in an event, such as “text: payload.body”.")
            raise Invalid(words, field="mapping")
    if len(found) > 40:
        raise Invalid(gettext("At most {n} names are mapped.").format(n=40), field="mapping")
    return found


def _permitted(source: Source) -> None:
    """Raises Invalid: nobody brings through a source what they may not send by hand."""
    if why := may_not(source, EVENT_KINDS[source.events]):
        raise Invalid(in_words(why, parts_of(why)), field="events")


def _saved(source: Source) -> None:
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError:
        raise Invalid(gettext("There is a source “{name}” already.").format(name=source.name), field="name") from None


def _locked(source: Source) -> Source:
    """Raises NotFound for one that was removed meanwhile."""
    found = Source.objects.select_for_update(of=("self",), no_key=True).filter(pk=source.pk).first()
    if found is None:
        raise NotFound(gettext("There is no such source any more."))
    return found

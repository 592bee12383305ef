"""Stop a source, and let it go on: each change a line of the audit trail."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.integrations.ports import Unavailable
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.rules.sentences import cut, parts_of, sentence, words_of
from apps.sources.models import Source, SourcePartition, SourceState

AWAY = timedelta(seconds=5)  # before a broker that did not answer is asked again


@transaction.atomic
def source_fail(*, source: Source, reason: str, at: datetime) -> None:
    """The console stops it, with a sentence that says what a person can do. What came before stays taken."""
    kept = Source.objects.select_for_update(of=("self",), no_key=True).get(pk=source.pk)
    if kept.state != SourceState.RUNNING:
        return
    _set(kept, SourceState.FAILED, at, reason)
    words = sentence("The source “{name}” stopped: {reason}", name=kept.name, reason=reason)
    source_told(kept, Verb.SOURCE_STATE, by=None, at=at, words=words)


@transaction.atomic
def source_pause(*, source: Source, by: User, at: datetime) -> None:
    """Events wait in the stream until it is resumed."""
    kept = Source.objects.select_for_update(of=("self",), no_key=True).get(pk=source.pk)
    if kept.state == SourceState.PAUSED:
        return
    _set(kept, SourceState.PAUSED, at)
    words = sentence("{by} paused the source “{name}”.", by=by, name=kept.name)
    source_told(kept, Verb.SOURCE_STATE, by=by, at=at, words=words)


@transaction.atomic
def source_resume(*, source: Source, by: User, at: datetime) -> None:
    """It goes on where it stood. After a change of the events their shape is learned anew."""
    partitions = SourcePartition.objects.filter(source=source)  # before the source, as whoever takes a batch locks them
    partitions.update(misfits=0, end_seen="")
    kept = Source.objects.select_for_update(of=("self",), no_key=True).get(pk=source.pk)
    source_answers(kept)
    if kept.state == SourceState.RUNNING:
        return
    if kept.state == SourceState.FAILED:
        kept.shape = {}
    _set(kept, SourceState.RUNNING, at)
    words = sentence("{by} let the source “{name}” go on.", by=by, name=kept.name)
    source_told(kept, Verb.SOURCE_STATE, by=by, at=at, words=words)


def source_unavailable(source: Source, cause: Unavailable, *, at: datetime) -> None:
    """A broker that is away is said, and asked again in a while; what only a person can mend stops the source."""
    reason = words_of(cause)
    if cause.permanent:
        source_fail(source=source, reason=reason, at=at)
        return
    Source.objects.filter(pk=source.pk).update(note=cut(reason, 300), note_parts=parts_of(reason), retry_at=at + AWAY)


def source_answers(source: Source) -> None:
    """Whatever was wrong is over."""
    if source.note or source.retry_at:
        Source.objects.filter(pk=source.pk).update(note="", note_parts={}, retry_at=None)
        source.note, source.note_parts, source.retry_at = "", {}, None


def _set(kept: Source, state: SourceState, at: datetime, reason: str = "") -> None:
    kept.state, kept.state_since = state, at
    kept.reason, kept.reason_parts = cut(reason, 400), parts_of(reason)
    kept.save(update_fields=["state", "state_since", "reason", "reason_parts", "shape"])


def source_told(source: Source, verb: Verb, *, by: User | None, at: datetime, words: str) -> None:
    event_record(
        project_id=source.project_id,
        verb=verb,
        subject=f"source {source.pk}",
        by=by,
        at=at,
        sentence=words,
        after={"name": source.name, "events": source.events, "state": str(source.state), "mapping": source.mapping},
    )
    look_again(Topic.PROJECT.of(source.project_id), News.SOURCE, source.pk)

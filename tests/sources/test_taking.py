"""Events become rows once: whatever comes twice, in another order, or cannot be read."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.audit.services import project_scope
from apps.datasets.models import DeadLetter, Example, Ingestion, IngestionState
from apps.errors import Invalid
from apps.labeling.models import Annotation, Label
from apps.monitoring.models import Feedback
from apps.projects.membership import member_remove
from apps.sources.models import SourceLetter, SourceMinute, SourceState
from apps.sources.parsing import MOST_BYTES
from apps.sources.services import source_change, source_replay
from apps.sources.states import source_pause, source_resume
from apps.sources.taking import MOST_MISFITS, WAITS_FOR
from tests.sources.conftest import partition_of, read, send, text


def ids(project):
    return sorted(Example.objects.filter(project=project).values_list("external_id", flat=True))


def reasons(source):
    return [x.reason for x in SourceLetter.objects.filter(source=source).order_by("pk")]


def test_events_become_examples_and_the_position_stands_after_the_last(source, project):
    offsets = send(source, text(1), text(2))
    assert read(source) == {"taken": 2}
    assert ids(project) == ["e1", "e2"]
    assert partition_of(source).position == offsets[-1]


def test_what_was_sent_twice_is_there_once(source, project):
    send(source, text(1), text(1), text(2))
    assert read(source) == {"taken": 2, "known": 1}
    send(source, text(2))
    assert read(source) == {"known": 1}
    assert ids(project) == ["e1", "e2"]


def test_reading_again_from_the_beginning_does_nothing_again(source, project, mona):
    send(source, *(text(n) for n in range(30)), b"no json")
    assert read(source) == {"taken": 30, "refused": 1}
    source_replay(source=source, since="beginning", by=mona, at=timezone.now())
    assert read(source) == {"known": 30, "refused": 1}
    assert (len(ids(project)), len(reasons(source))) == (30, 1)


def test_a_replay_begins_at_an_offset_or_a_moment(source, mona):
    first, second = send(source, text(1)), send(source, text(2))
    read(source)
    source_replay(source=source, since=first[0], by=mona, at=timezone.now())
    assert read(source) == {"known": 1}
    source_replay(source=source, since="2020-01-01T00:00:00Z", by=mona, at=timezone.now())
    assert read(source) == {"known": 2}
    source_replay(source=source, since="end", by=mona, at=timezone.now())
    assert partition_of(source).position == second[0]
    with pytest.raises(Invalid, match="offset of a Redis stream"):
        source_replay(source=source, since="yesterday", by=mona, at=timezone.now())


POISON = {
    b"\xff\xfe\x00": "no UTF-8",
    b"{": "no JSON",
    b"[1]": "no object but list",
    b'{"id": NaN}': "NaN is no number",
    b"[" * 100_000: "nested too deep|no JSON",
    b'{"id": "x"}': "text",
    b'{"text": "without an id"}': "id",
    b'{"id": "z", "text": "' + b"a" * MOST_BYTES + b'"}': "bytes; at most",
    b"y" * 20_000_000: "The event has 20,000,000 bytes; at most 1,000,000 are read.",
    b'{"id": "z", "text": "a", "collected_at": "2026-01-02T03:04:05+99:00"}': "The time it was collected",
    b'{"id": "z", "text": "a", "collected_at": "2026-01-02T03:04:05 Mars/Olympus"}': "The time it was collected",
}


@pytest.mark.parametrize("value", POISON, ids=lambda v: v[:12].decode("latin-1"))
def test_poison_is_kept_with_its_reason_and_its_neighbors_are_taken(source, project, value):
    bad = send(source, text(1), value, text(2))[1]
    assert read(source) == {"taken": 2, "refused": 1}
    assert ids(project) == ["e1", "e2"]
    letter = SourceLetter.objects.get(source=source)
    assert letter.offset == bad
    assert any(words in letter.reason for words in POISON[value].split("|")), letter.reason


def test_a_nul_neither_stops_the_stream_nor_reaches_the_database(source, project):
    send(source, text(1), {"id": "n\x00ul", "text": "a"}, {"id": "n2", "text": "a\x00b", "x\x00": 1}, text(2))
    counts = read(source)
    assert sum(counts.values()) == 4 and {"e1", "e2"} <= set(ids(project))
    assert "\x00" not in "".join([*ids(project), *reasons(source)])


def test_our_names_stand_where_the_mapping_says(make_source, project):
    source = make_source(mapping={"id": "meta.key", "text": "body.lines.0"})
    send(source, {"meta": {"key": "k1"}, "body": {"lines": ["first", "second"]}})
    assert read(source) == {"taken": 1}
    assert Example.objects.get(project=project).fields == {"text": "first"}


def test_one_odd_event_is_a_dead_letter_and_many_in_a_row_stop_the_source(source, project):
    send(source, text(1), {"id": "e2", "text": 7}, text(3))
    assert read(source) == {"taken": 2, "refused": 1}
    offsets = send(source, text(4), *({"id": f"x{n}", "body": f"b {n}"} for n in range(MOST_MISFITS + 3)))
    assert read(source) == {"taken": 1}
    source.refresh_from_db()
    assert source.state == SourceState.FAILED
    assert "“text” was text and is nothing; new is “body”" in source.reason
    assert partition_of(source).position == offsets[0]
    assert ids(project) == ["e1", "e3", "e4"]


def test_misfits_are_counted_over_batches(source):
    send(source, text(1))
    read(source)
    for n in range(MOST_MISFITS):
        send(source, {"id": f"x{n}", "text": n})
        read(source)
    source.refresh_from_db()
    assert source.state == SourceState.FAILED
    assert SourceLetter.objects.filter(source=source).count() == MOST_MISFITS - 1


def test_after_the_mapping_is_mended_it_goes_on_where_it_stood(source, project, mona):
    send(source, text(1), *({"id": f"x{n}", "body": f"b {n}"} for n in range(MOST_MISFITS)))
    read(source)
    source_change(source=source, mapping={"id": "id", "text": "body"}, by=mona, at=timezone.now())
    source.refresh_from_db()
    source_resume(source=source, by=mona, at=timezone.now())
    assert read(source) == {"taken": MOST_MISFITS}
    assert len(ids(project)) == MOST_MISFITS + 1


def test_a_paused_source_leaves_events_in_the_stream(source, project, mona):
    read(source)
    source_pause(source=source, by=mona, at=timezone.now())
    send(source, text(1))
    assert read(source) == {}
    source_resume(source=source, by=mona, at=timezone.now())
    assert read(source) == {"taken": 1}


def test_labels_say_who_and_when(source, make_source, project, ada):
    send(source, text(1), text(2))
    read(source)
    labels = make_source("labels")
    send(labels, {"id": "e1", "label": "spam", "by": "ada", "at": "2026-01-02T03:04:05Z"}, {"id": "e2", "label": "ham"})
    assert read(labels) == {"taken": 2}
    said = Annotation.objects.get(project=project)
    assert (said.annotator, said.label.name, said.answered_at.isoformat()) == (ada, "spam", "2026-01-02T03:04:05+00:00")
    assert {x.example.external_id: x.label.name for x in Label.objects.filter(project=project)} == {
        "e1": "spam",
        "e2": "ham",
    }
    send(labels, {"id": "e1", "label": "spam", "by": "ada", "at": "2026-01-02T03:04:05Z"})
    assert read(labels) == {"known": 1}


def test_a_label_before_its_example_waits_for_it(source, make_source, project):
    labels, at = make_source("labels"), timezone.now()
    send(labels, {"id": "e1", "label": "spam"}, {"id": "e9", "label": "ham"})
    assert read(labels, at) == {"waiting": 2}
    send(source, text(1))
    read(source)
    read(labels, at + timedelta(seconds=2))
    assert Label.objects.get(project=project).label.name == "spam"
    assert SourceLetter.objects.get(source=labels).row == {"id": "e9", "label": "ham"}
    read(labels, at + WAITS_FOR + timedelta(hours=1))
    letter = SourceLetter.objects.get(source=labels)
    assert (letter.next_try_at, letter.row) == (None, None)
    assert letter.reason == "No example with this id came within 7 days."


def test_a_label_that_says_nothing_is_refused(source, make_source):
    send(source, text(1))
    read(source)
    labels = make_source("labels")
    send(labels, {"id": "e1"}, {"id": "e1", "label": "neither"})
    assert read(labels) == {"refused": 2}
    assert reasons(labels)[0] == "The event has no “label”: what the example is."


def test_feedback_comes_through_the_same_service_as_the_api(make_source, project):
    source = make_source("feedback")
    send(source, {"inference_id": "q-1", "name": "click", "value": 1}, {"inference_id": "q-1"}, b"{")
    assert read(source) == {"taken": 1, "refused": 2}
    assert Feedback.objects.get(project=project).value == 1.0
    send(source, {"inference_id": "q-1", "name": "click", "value": 1})
    read(source)
    assert Feedback.objects.filter(project=project).count() == 1


def test_nobody_brings_through_a_source_what_they_may_not_send(make_source, lin, project, alma, mona):
    with pytest.raises(Invalid, match="may not bring labels"):
        make_source("labels", by=lin)
    source = make_source()
    member_remove(project=project, user_id=mona.pk, by=alma, at=timezone.now())
    send(source, text(1))
    assert read(source) == {}
    source.refresh_from_db()
    assert (source.state, ids(project)) == (SourceState.FAILED, [])
    assert "may not bring examples into this project" in source.reason


def test_an_hour_of_a_stream_is_one_ingestion_that_counts_its_rows(source, project):
    for n in range(3):
        send(source, text(n), b"{")
        read(source)
    found = Ingestion.objects.get(project=project, source="stream")
    assert (found.state, found.rows_taken, found.rows_refused) == (IngestionState.COMPLETED, 3, 3)
    assert DeadLetter.objects.filter(ingestion=found).count() == 3
    assert not Event.objects.filter(scope=project_scope(project.pk), verb="examples.ingested").exists()
    later = timezone.now() + timedelta(hours=2)
    send(source, text(9))
    read(source, later)
    assert Ingestion.objects.filter(project=project, source="stream").count() == 2
    assert Event.objects.filter(scope=project_scope(project.pk), verb="examples.ingested").count() == 1


def test_minutes_count_what_became_of_events(source):
    at = timezone.now()
    send(source, text(1), text(1), b"{")
    read(source, at)
    minute = SourceMinute.objects.get(source=source)
    assert (minute.taken, minute.known, minute.refused) == (1, 1, 1)
    assert minute.behind == 3

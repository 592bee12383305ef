"""What goes with an example, with a project and with time: also where it is no row of the project's tables."""

from datetime import timedelta

from django.utils import timezone

from apps.datasets.models import DeadLetter, Example, Ingestion
from apps.loop.closing.deleting import deletion_work
from apps.loop.closing.services import project_archive, project_delete
from apps.loop.examples.services import example_delete
from apps.sources.consuming import stream_of
from apps.sources.forgetting import FIGURES_KEPT, LETTERS_KEPT, STREAM_KEPT, sources_tidy
from apps.sources.models import Source, SourceLetter, SourceMinute
from apps.sources.services import source_replay
from tests.sources.conftest import partition_of, read, send, text

SECRET = "Grace lives at 5 Elm Street"


def test_a_deleted_example_is_in_no_letter_and_does_not_come_back_with_a_replay(source, project, mona):
    send(source, {"id": "grace", "text": "hello"}, {"id": "grace", "text": SECRET}, {"id": "other", "text": 7})
    assert read(source) == {"taken": 1, "refused": 2}
    example_delete(project=project, example_id=Example.objects.get().pk, reason="Asked.", by=mona, at=timezone.now())
    assert [x.external_id for x in SourceLetter.objects.all()] == ["other"]
    assert [x.external_id for x in DeadLetter.objects.all()] == ["other"]
    source_replay(source=source, since="beginning", by=mona, at=timezone.now())
    assert read(source) == {"refused": 3}
    kept = [*SourceLetter.objects.all(), *DeadLetter.objects.all()]
    assert not [x for x in kept if "grace" in x.raw + x.external_id + x.reason]


def test_with_a_project_its_streams_go_and_no_others(source, project, mona, broker):
    send(source, text(1))
    broker.xadd(f"events:{project.pk}0:other", {"event": "{}"})
    at = timezone.now()
    project_archive(project=project, by=mona, at=at)
    project.refresh_from_db()
    project_delete(project=project, name=project.name, reason="It ended.", by=mona, at=at)
    deletion_work(number=project.pk, now=lambda: at + timedelta(hours=1))
    assert list(broker.scan_iter("events:*")) == [f"events:{project.pk}0:other".encode()]
    assert not Source.objects.exists()


def test_what_was_taken_long_ago_leaves_the_stream_and_what_was_not_stays(source, make_source, mona, broker):
    now = timezone.now()
    old = int((now - STREAM_KEPT - timedelta(days=1)).timestamp() * 1000)
    for n in range(300):  # Redis removes whole nodes of a hundred entries
        send(source, text(n), at=f"{old + n}-1")
    (key,) = stream_of(source).partitions()
    sources_tidy(at=now)
    assert broker.xlen(key) == 300, "nothing is taken yet"
    read(source)
    slow = make_source(name="Slow")
    Source.objects.filter(pk=slow.pk).update(place=source.place)
    slow.partitions.create(name=key, position=f"{old + 149}-1")
    send(source, text(300))
    sources_tidy(at=now)
    assert 151 <= broker.xlen(key) < 301, "the other source has not read the second half"
    slow.delete()
    assert read(source) == {"taken": 1}
    sources_tidy(at=now)
    assert 1 <= broker.xlen(key) <= 101
    assert broker.xrevrange(key, count=1)[0][0].decode() == partition_of(source).position, "the newest is not old"


def test_quiet_hours_are_closed_and_old_letters_and_figures_go(source):
    send(source, text(1), b"{")
    read(source)
    at = timezone.now() + timedelta(hours=2)
    sources_tidy(at=at)
    assert partition_of(source).ingestion is None
    assert Ingestion.objects.get(source="stream").finished_at == at
    assert (SourceLetter.objects.count(), SourceMinute.objects.count()) == (1, 1)
    sources_tidy(at=at + FIGURES_KEPT)
    assert (SourceLetter.objects.count(), SourceMinute.objects.count()) == (1, 0)
    sources_tidy(at=at + LETTERS_KEPT)
    assert SourceLetter.objects.count() == 0

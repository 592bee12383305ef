"""A stream that is cut, vanishes, is made anew, or whose broker is away; and workers that meet at one partition."""

import uuid
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from apps.datasets.models import Example
from apps.integrations.ports import Unavailable
from apps.sources import consuming, looking, taking
from apps.sources.consuming import partition_read, stream_of
from apps.sources.looking import sources_look
from apps.sources.models import SourceLetter, SourcePartition, SourceState
from apps.sources.services import source_replay, source_test
from apps.sources.states import AWAY, source_resume
from apps.sources.taking import LEASE, PartitionLost, partition_take
from apps.work.names import Job
from tests.sources.conftest import partition_of, read, send, text


def test_a_stream_cut_down_before_it_was_read_is_said_and_read_on(source, broker, project):
    first = send(source, text(1), text(2), text(3))
    sources_look(at=timezone.now())
    broker.xtrim(partition_of(source).name, maxlen=1, approximate=False)
    assert read(source) == {"taken": 1}
    letter = SourceLetter.objects.get(source=source)
    assert letter.offset == first[0]
    assert letter.reason == (
        f"Events from {first[0]} on were removed from the stream before they were read. It goes on at {first[2]}."
    )


def test_a_stream_cut_down_after_it_was_read_is_no_loss(source, broker):
    send(source, text(1), text(2))
    read(source)
    broker.xtrim(partition_of(source).name, maxlen=0, approximate=False)
    assert read(source) == {}
    send(source, text(3))
    assert read(source) == {"taken": 1}
    assert not SourceLetter.objects.filter(source=source).exists()


def test_a_stream_that_vanished_is_read_on_once_it_is_back(source, broker):
    send(source, text(1))
    read(source)
    broker.delete(partition_of(source).name)
    assert read(source) == {}
    send(source, text(2))
    assert read(source) == {"taken": 1}


def test_a_stream_made_anew_that_ends_before_ours_stops_in_words(source, broker, mona, project):
    send(source, text(1))
    read(source)
    ours = partition_of(source).position
    broker.delete(partition_of(source).name)
    send(source, text(2), at="5-1")
    read(source)
    source.refresh_from_db()
    assert source.state == SourceState.RUNNING, "nothing comes yet: a restored broker is no reason to stop"
    send(source, text(3), at="5-2")
    read(source)
    source.refresh_from_db()
    assert source.state == SourceState.FAILED
    assert source.reason.startswith(f"It was read up to {ours}, but the newest event is 5-2")
    source_replay(source=source, since="beginning", by=mona, at=timezone.now())
    source_resume(source=source, by=mona, at=timezone.now())
    assert read(source) == {"taken": 2}


def test_another_value_under_the_name_stops_in_words(source, broker):
    broker.set(stream_of(source).partitions()[0], "no stream")
    read(source)
    source.refresh_from_db()
    assert (source.state, source.reason) == (
        SourceState.FAILED,
        "Another kind of value stands under this name in Redis.",
    )
    assert source_test(source=source).words == source.reason


def test_a_broker_that_is_away_is_said_and_waited_for(source, project, monkeypatch, settings):
    send(source, text(1))
    at, there = timezone.now(), settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert read(source, at) == {}
    source.refresh_from_db()
    assert (source.note, source.retry_at) == ("Redis does not answer.", at + AWAY)
    trial = source_test(source=source)
    assert (trial.fine, trial.words) == (False, "Redis does not answer.")
    settings.REDIS_URL = there
    sources_look(at=at + timedelta(seconds=1))
    source.refresh_from_db()
    assert source.note, "it is not asked again at once"
    assert read(source, at + timedelta(seconds=6)) == {"taken": 1}
    source.refresh_from_db()
    assert (source.note, source.retry_at) == ("", None)


def test_one_broken_source_does_not_keep_the_others_waiting(source, make_source, monkeypatch, sent):
    broken = make_source(name="Broken")
    real = looking.stream_of

    def opened(of):
        if of.pk == broken.pk:
            raise RuntimeError("a bug of a stranger's package")
        return real(of)

    monkeypatch.setattr(looking, "stream_of", opened)
    send(source, text(1))
    sources_look(at=timezone.now())
    assert (str(Job.SOURCE_READ), (partition_of(source).pk,)) in sent.jobs


def test_a_reader_whose_time_is_up_goes_on_at_once_unless_others_wait(make_source, sent):
    one, other = make_source(), make_source()
    send(one, text(1))
    sources_look(at=timezone.now())
    partition, waits = partition_of(one), partition_of(other)
    sent.jobs.clear()
    assert partition_read(partition_id=partition.pk, takes_for_s=0.0) == {}
    assert sent.jobs == [(str(Job.SOURCE_READ), (partition.pk,))]
    sent.jobs.clear()
    SourcePartition.objects.filter(pk=waits.pk).update(behind=1)
    partition_read(partition_id=partition.pk, takes_for_s=0.0)
    assert sent.jobs == []


def test_no_more_readers_are_asked_for_than_leave_room_for_others(make_source, sent):
    for _ in range(looking.READERS + 2):
        send(make_source(), text(1))
    assert sources_look(at=timezone.now()) == looking.READERS
    held = SourcePartition.objects.first()
    LEASE.take(held, timezone.now())
    held.save()
    assert sources_look(at=timezone.now()) == looking.READERS - 1


def test_a_partition_that_somebody_reads_is_nobody_elses(source, project):
    send(source, text(1))
    sources_look(at=timezone.now())
    partition = partition_of(source)
    LEASE.take(partition, timezone.now())
    partition.save()
    assert partition_read(partition_id=partition.pk) == {}
    later = timezone.now() + LEASE.length + timedelta(seconds=1)
    assert partition_read(partition_id=partition.pk, now=lambda: later) == {"taken": 1}


def test_a_worker_that_lost_its_lease_writes_nothing(source, project, mona):
    send(source, text(1))
    sources_look(at=timezone.now())
    partition = partition_of(source)
    owner = LEASE.take(partition, timezone.now())
    partition.save()
    events = stream_of(source).read(partition.name, "", most=10)
    source_replay(source=source, since="beginning", by=mona, at=timezone.now())
    with pytest.raises(PartitionLost):
        partition_take(partition_id=partition.pk, owner=owner, events=events, at=timezone.now())
    assert not Example.objects.filter(project=project).exists()
    with pytest.raises(PartitionLost):
        partition_take(partition_id=partition.pk, owner=uuid.uuid4(), events=events, at=timezone.now())


@pytest.mark.parametrize("step", ["_letters", "_count", "look_again"])
def test_what_breaks_in_the_middle_leaves_nothing_and_is_taken_again(source, project, monkeypatch, step):
    send(source, text(1), b"{", text(2))
    with monkeypatch.context() as broken:
        broken.setattr(taking, step, lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            read(source)
    assert not Example.objects.filter(project=project).exists()
    assert (partition_of(source).position, SourceLetter.objects.count()) == ("", 0)
    assert read(source) == {"taken": 2, "refused": 1}


def test_several_partitions_are_read_each_for_itself(make_source, project):
    source = make_source(partitions=3)
    send(source, *(text(n) for n in range(9)))
    assert read(source) == {"taken": 9}
    assert source.partitions.exclude(position="").count() == 3


def test_events_of_many_megabytes_are_read_a_few_at_once(monkeypatch):
    assert consuming._next_most(1000, consuming.MOST_BYTES_AT_ONCE + 1) == 250
    assert consuming._next_most(20, consuming.MOST_BYTES_AT_ONCE + 1) == consuming.FEWEST
    assert consuming._next_most(20, 1000) == 80


def test_an_entry_without_our_field_is_an_object_of_its_fields(source, broker, project):
    broker.xadd(stream_of(source).partitions()[0], {"id": "e1", "text": "written by hand"})
    assert read(source) == {"taken": 1}


def test_a_fault_of_redis_is_told_in_its_words():
    from apps.sources.kinds.redis_stream import _asked

    with pytest.raises(Unavailable, match="Redis answers"), _asked():
        raise redis.ResponseError("NOPERM no")


def test_a_projects_streams_are_its_own(source, make_source, project):
    assert all(key.startswith(f"events:{project.pk}:") for key in stream_of(source).partitions())

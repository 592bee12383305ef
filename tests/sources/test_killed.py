"""Workers killed with -9 between any two steps, and at any moment: every event is there, and once."""

import os
import random
import signal
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.datasets.models import DeadLetter, Example, Ingestion
from apps.loop.services import intake
from apps.sources import consuming, taking
from apps.sources.consuming import stream_of
from apps.sources.events import ingesting
from apps.sources.kinds import redis_stream
from apps.sources.looking import sources_look
from apps.sources.models import SourceLetter, SourceMinute, SourcePartition, SourceState
from tests.sources.conftest import read, send, text

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 40
STEPS = {  # the call that the worker does not live to make
    "claimed": (consuming, "waiting_take"),
    "read": (consuming, "partition_take"),
    "owned": (taking, "_read"),
    "ingested": (ingesting, "_reason"),
    "taken": (taking, "_letters"),
    "letters": (taking, "_count"),
    "written": (taking, "look_again"),
    "committed": (consuming, "_next_most"),
    "queued": (intake, "vectors_ask"),
}


def worker(*partitions, dies_before=""):
    """A process of its own that reads; its id. A copy of this one costs nothing to start."""
    if pid := os.fork():
        return pid
    try:
        of_parent, connection.connection = connection.connection, None  # stays the parent's
        redis_stream._line.cache_clear()
        consuming.FEWEST = AT_ONCE
        consuming._next_most = lambda *_: AT_ONCE
        if dies_before:
            setattr(*STEPS[dies_before], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        for partition in partitions:
            consuming.partition_read(partition_id=partition.pk)
        assert of_parent is not None
    finally:
        os._exit(0)


def ended_by(pid):
    """The signal that ended it; 0 where it came to its end."""
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def leases_run_out():
    """As thirty seconds would do."""
    SourcePartition.objects.update(leased_until=timezone.now() - timedelta(seconds=1))


def read_to_the_end(source):
    stream = stream_of(source)
    for _ in range(50):
        read(source)
        source.refresh_from_db()
        assert source.state == SourceState.RUNNING, source.reason
        if all(p.position == stream.ends(p.name).newest for p in source.partitions.all()):
            return
    pytest.fail(f"It does not come to the end: {source.note}")


def nothing_lost_or_doubled(source, project, n, *, bad):
    assert sorted(Example.objects.filter(project=project).values_list("external_id", flat=True)) == sorted(
        f"e{i}" for i in range(n)
    )
    assert SourceLetter.objects.filter(source=source).count() == bad
    assert DeadLetter.objects.filter(project=project).count() == bad
    counted = SourceMinute.objects.filter(source=source).values_list("taken", "refused", "known")
    assert [sum(each) for each in zip(*counted, strict=True)] == [n, bad, 0]
    rows = Ingestion.objects.filter(project=project, source="stream")
    assert sum(x.rows_read for x in rows) == n + bad


def test_a_worker_killed_between_any_two_steps_loses_and_doubles_nothing(source, project):
    send(source, *(b"{" if i % 10 == 9 else text(i - i // 10) for i in range(500)))
    sources_look(at=timezone.now())
    for step in STEPS:
        assert ended_by(worker(source.partitions.get(), dies_before=step)) == signal.SIGKILL, step
        leases_run_out()
    assert Example.objects.filter(project=project).count() >= AT_ONCE - 4, "what was committed stays"
    read_to_the_end(source)
    nothing_lost_or_doubled(source, project, 450, bad=50)


@pytest.mark.parametrize("seed", [15, 16, 17])
def test_two_workers_that_share_a_source_are_killed_at_any_moment(make_source, project, seed):
    source, chance = make_source(partitions=2), random.Random(seed)
    send(source, *(text(i) for i in range(1200)))
    sources_look(at=timezone.now())
    first, second = source.partitions.all()
    for _ in range(4):
        pair = [worker(first, second), worker(second, first)]
        time.sleep(chance.uniform(0.02, 0.3))
        for one in pair:
            os.kill(one, signal.SIGKILL)
            ended_by(one)
        leases_run_out()
    read_to_the_end(source)
    nothing_lost_or_doubled(source, project, 1200, bad=0)


def test_a_reader_that_waited_for_a_change_of_the_mapping_reads_under_the_new_one(source, project, mona):
    """It holds the partition, and the change has it locked: what it read of the source before must not count."""
    send(source, {"id": "e1", "text": "old", "body": "new"})
    sources_look(at=timezone.now())
    partition = source.partitions.get()
    owner = taking.LEASE.take(partition, timezone.now())
    partition.save()
    events = stream_of(source).read(partition.name, "", most=10)

    def take():
        taking.partition_take(partition_id=partition.pk, owner=owner, events=events, at=timezone.now())
        connection.close()

    with taking.transaction.atomic():
        list(SourcePartition.objects.filter(source=source).select_for_update(no_key=True))
        reader = threading.Thread(target=take)
        reader.start()
        time.sleep(0.3)
        source.mapping = {"id": "id", "text": "body"}
        source.save()
    reader.join(timeout=10)
    source.refresh_from_db()
    assert Example.objects.get(project=project).fields == {"text": "new"}
    assert source.shape == {"id": "text", "body": "text"}

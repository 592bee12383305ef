"""Workers killed with -9 between any two steps: every event is there, and once."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.datasets.models import DeadLetter, Example, Ingestion
from apps.sources.consuming import stream_of
from apps.sources.looking import sources_look
from apps.sources.models import SourceLetter, SourceMinute, SourcePartition
from fastloop_console.machine.env import ROOT
from tests.sources.conftest import read, send, text

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

WORKER = """
import os, signal, sys
import django
django.setup()
from apps.integrations import wiring
from apps.loop.services import intake
from apps.sources import consuming, taking
from apps.sources.events import ingesting

class NoJobs:
    def send(self, name, *, args, queue): ...
    def send_group(self, name, *, each, queue): ...

wiring.jobs = NoJobs()
STEPS = {
    "read": (consuming, "partition_take"), "claimed": (consuming, "waiting_take"), "owned": (taking, "_read"),
    "ingested": (ingesting, "_reason"), "taken": (taking, "_letters"), "letters": (taking, "_count"),
    "written": (taking, "look_again"), "committed": (consuming, "_next_most"), "followed": (consuming, "examples_follow_up"),
}
step = sys.argv[1]
consuming.MOST = consuming.FEWEST = 40
consuming._next_most = lambda *_: 40
if step in STEPS:
    module, name = STEPS[step]
    setattr(module, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
print("ready", flush=True)
for partition in map(int, sys.argv[2:]):
    consuming.partition_read(partition_id=partition)
"""
STEPS = ("claimed", "owned", "ingested", "taken", "written", "committed")


def worker(step, *partitions):
    """A process of its own on the test's database."""
    of = connection.settings_dict
    address = f"postgres://{of['USER']}:{of['PASSWORD']}@{of['HOST']}:{of['PORT']}/{of['NAME']}"
    env = os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "fastloop_console.settings.test"}
    command = [sys.executable, "-c", WORKER, step, *(str(p.pk) for p in partitions)]
    return subprocess.Popen(command, cwd=ROOT, env=env | {"REDIS_URL": settings.REDIS_URL}, stdout=subprocess.PIPE)


def leases_run_out():
    """As thirty seconds would do."""
    SourcePartition.objects.update(leased_until=timezone.now() - timedelta(seconds=1))


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
        one = worker(step, source.partitions.get())
        assert one.wait(timeout=60) == -signal.SIGKILL, step
        leases_run_out()
    while read(source):
        pass
    nothing_lost_or_doubled(source, project, 450, bad=50)


def test_two_workers_that_share_a_source_are_killed_at_any_moment(make_source, project):
    source, chance = make_source(partitions=2), random.Random(15)
    events = [text(i) for i in range(1200)]
    send(source, *events)
    sources_look(at=timezone.now())
    first, second = source.partitions.all()
    for _ in range(2):
        pair = [worker("none", first, second), worker("none", second, first)]
        for one in pair:
            assert one.stdout is not None and one.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.02, 0.4))
        for one in pair:
            one.send_signal(signal.SIGKILL)
            one.wait(timeout=30)
        leases_run_out()
    while read(source):
        pass
    nothing_lost_or_doubled(source, project, 1200, bad=0)
    assert all(
        stream_of(source).lag(p.name, p.position, at=timezone.now()).events == 0 for p in source.partitions.all()
    )

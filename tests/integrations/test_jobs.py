"""Jobs reach the broker one by one and as a group, and without a broker the sender hears of it."""

import json

import pytest
import redis
from django.conf import settings

from apps.integrations.celery_jobs import CeleryJobs
from apps.integrations.ports import Unavailable
from apps.work.names import Job

QUEUE = "a-queue-that-no-worker-reads"


@pytest.fixture
def broker() -> redis.Redis:
    found = redis.Redis.from_url(settings.CELERY_BROKER_URL)
    found.delete(QUEUE)
    return found


def test_a_group_is_one_message_for_each_of_its_jobs(broker: redis.Redis) -> None:
    CeleryJobs().send_group(Job.SCORE_PART, each=[(1,), (2,), (3,)], queue=QUEUE)
    assert broker.llen(QUEUE) == 3
    assert {json.loads(m)["headers"]["task"] for m in broker.lrange(QUEUE, 0, -1)} == {"workers.score_part"}
    CeleryJobs().send("a.job", args=(4,), queue=QUEUE)
    assert broker.llen(QUEUE) == 4
    broker.delete(QUEUE)


def test_without_a_broker_the_sender_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastloop_console.machine.celery import app

    def away(**options: object) -> object:
        raise redis.ConnectionError("nobody there")

    monkeypatch.setattr(app, "connection_for_write", away)
    with pytest.raises(Unavailable):
        CeleryJobs().send_group("a.job", each=[(1,)], queue=QUEUE)

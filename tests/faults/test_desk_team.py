"""Fifty annotators while the web process, Redis and PostgreSQL die under them."""

import os
import signal
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from tests.console import Console, until
from tests.faults.team import Team, inside

pytestmark = pytest.mark.fault
PEOPLE = 50
EXAMPLES = 4000
KILLS = 5


@pytest.fixture
def desk(console: Console) -> int:
    """A project with more examples than will be answered."""
    with console.client("alma") as alma:
        project = console.post(
            alma,
            "projects/",
            name=f"Team {time.monotonic_ns()}",
            task_type="text-classification",
            labels=[{"name": "ham"}, {"name": "spam"}],
        )["id"]
        rows = [{"id": f"m{n}", "text": f"message {n}"} for n in range(EXAMPLES)]
        console.post(alma, f"projects/{project}/examples/", examples=rows)
    return int(project)


def answering(console: Console, project: int, seconds: float, *faults: Callable[[], object]) -> Team:
    """The team works while the faults happen one after the other, spread over the time."""
    team = Team(console.url, project, inside(console, "people", str(project), str(PEOPLE)))
    worker = threading.Thread(target=team.work, args=(seconds,))
    worker.start()
    for fault in faults:
        time.sleep(seconds / (len(faults) + 1))
        fault()
    worker.join(seconds + 120)
    assert not worker.is_alive()
    return team


def whole(console: Console, project: int, team: Team) -> None:
    """Every answer that got a 2xx is there once, every answer of an outbox has arrived once, every label stands."""
    assert team.refused == []
    assert team.acknowledged == team.sent, "an outbox was not emptied"
    found = inside(console, "kept", str(project))
    assert len(found["kept"]) == len(set(found["kept"]))
    assert set(found["kept"]) == team.sent
    assert (found["slots_twice"], found["people_twice"]) == (0, 0)
    assert found["answered"] == found["counted"], "an assignment and its answer do not say the same"
    assert found["unsettled"] == [], "an answered example has neither a label nor a review of answers that disagree"
    assert len(team.sent) > PEOPLE, "the team hardly worked"


def test_fifty_annotators_lose_nothing_while_the_web_process_is_killed_five_times(console: Console, desk: int) -> None:
    team = answering(console, desk, 25, *[lambda: console.kill("web")] * KILLS)
    assert team.failures > 0, "nobody noticed that the web process was away"
    whole(console, desk, team)


def test_fifty_annotators_lose_nothing_while_redis_and_postgresql_are_restarted(
    console: Console, desk: int, lin: httpx.Client
) -> None:
    redis, postgres = console.redis_pid(), console.postgres_pid()

    def end(pid: int, how: signal.Signals) -> None:
        os.kill(pid, how)

    team = answering(
        console,
        desk,
        20,
        lambda: end(redis, signal.SIGKILL),
        lambda: end(postgres, signal.SIGQUIT),  # "immediate": as a crash, with recovery at the next start
    )
    assert team.failures > 0, "nobody noticed that PostgreSQL was away"
    until(lambda: console.redis_pid() not in (0, redis), "Redis was not started again")
    until(lambda: console.postgres_pid() not in (0, postgres), "PostgreSQL was not started again")
    whole(console, desk, team)
    until(lambda: lin.get("/projects/").status_code == 200, "the pages did not come back")

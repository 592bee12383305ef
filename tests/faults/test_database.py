"""PostgreSQL away while a canary goes bad: the predictor takes its traffic away by itself, and says so once it can."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from apps.rules.rollouts.arms import is_canary
from fastloop_console.machine import embedded
from tests.console import Console, until
from tests.faults.test_replicas import asked
from tests.loops import REASON, Loop

pytestmark = pytest.mark.fault
HALF = {"steps": [{"setWeight": 50}, {"pause": {}}, {"setWeight": 100}], "rollbackWindow": 0}
AT_ONCE = {"steps": [{"setWeight": 100}]}
NAN = b"\x00\x00\xc0\x7f"  # as a 32-bit float
SOON_S = 2.0  # an answer without the database; none of it waits for one


@contextmanager
def database_away(console: Console) -> Iterator[None]:
    """PostgreSQL with all its connections stands still: it answers nobody and refuses nobody."""
    head = psutil.Process(console.postgres_pid())
    family = [head, *head.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


@contextmanager
def weights_broken(url: str) -> Iterator[None]:
    """The model's file with every weight no number: it loads, and answers nothing."""
    file = Path(url.removeprefix("file://"))
    whole = file.read_bytes()
    begin = 8 + int.from_bytes(whole[:8], "little")
    file.write_bytes(whole[:begin] + NAN * ((len(whole) - begin) // len(NAN)))
    try:
        yield
    finally:
        file.write_bytes(whole)


def rows(console: Console, query: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(embedded.known_urls(console.home).database) as database:
        return database.execute(query, values).fetchall()  # type: ignore[arg-type]


def who(salt: str, *, canary: bool, n: int) -> list[str]:
    """Entities that meet one arm."""
    names = (f"away {canary} {k}" for k in range(1000))
    return [name for name in names if is_canary(name, salt=salt, weight=50) is canary][:n]


def test_a_canary_that_fails_while_the_database_is_away_is_given_up_at_once_and_aborted_later(
    loop: Loop, console: Console, lin: httpx.Client
) -> None:
    champion = loop.champion()
    other = next((v for v in loop.versions() if v["number"] != champion), None) or loop.new_version()
    until(lambda: loop.serves() == str(champion), "the champion does not answer")
    ((url,),) = rows(console, "SELECT artifact_url FROM training_run WHERE id = %s", other["run_id"])
    policy = f"/api/v1/projects/{loop.id}/release-policy/"
    try:
        with weights_broken(url):
            assert lin.put(policy, json={"policy": HALF}).status_code == 200
            released = lin.post(f"/api/v1/models/{other['id']}/release/", json={"reason": REASON})
            assert released.status_code == 201, released.text
            rollout = released.json()["id"]
            ((salt,),) = rows(console, "SELECT salt FROM releases_rollout WHERE id = %s", rollout)
            (stays,), meets = who(salt, canary=False, n=1), who(salt, canary=True, n=30)

            def said(name: str) -> dict[str, Any]:
                began, answer = time.monotonic(), asked(loop, console.predictor_url, name)
                assert answer is not None and answer.status_code == 200, answer and answer.text
                assert time.monotonic() - began < SOON_S
                return dict(answer.json())

            until(lambda: said(stays)["parameters"].get("rollout") == rollout, "the predictor does not know the canary")
            with database_away(console):
                answers = [said(name) for name in meets]
                assert {a["model_version"] for a in answers} == {str(champion)}, (
                    "whoever met it was left without an answer"
                )
                assert f"v{other['number']} of {loop.slug} failed 10 times; its traffic goes to the champion" in until(
                    lambda: (words := console.said()) and "failed 10 times" in words and words, "it is not given up"
                )
        ended = until(
            lambda: (r := console.get(lin, f"rollouts/{rollout}/"))["phase"] == "Degraded" and r,
            "nobody said so after the database was back",
            within_s=40,
        )
        assert ended["weight"] == 0 and "10 of its last" in ended["message"], ended["message"]
        counted = "SELECT count(*) FROM monitoring_prediction WHERE rollout = %s AND failed"
        until(lambda: rows(console, counted, rollout)[0][0] == len(meets), "not every failure is on record")
        assert loop.champion() == champion and loop.serves() == str(champion)
    finally:
        lin.put(policy, json={"policy": AT_ONCE})

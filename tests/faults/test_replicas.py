"""Predictors that are killed, doubled and cut off, with a canary on: what users see, what the log has, how fast a roll-back is."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from fastloop_console.machine import embedded
from fastloop_console.machine.env import ROOT
from fastloop_console.machine.ports import free_ports
from tests import digits
from tests.console import Console, until
from tests.loops import REASON, Loop

pytestmark = pytest.mark.fault
CANARY = {"steps": [{"setWeight": 50}, {"pause": {}}, {"setWeight": 100}], "rollbackWindow": 0}
IN_FORCE_S = 1.0


class Users:
    """Entities that ask one after the other, again where nobody listens; when each was answered, and by which version."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.answered, self.errors = loop, dict[str, tuple[float, str, str]](), list[str]()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(k,)) for k in range(2)]

    def __enter__(self) -> "Users":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, who: int) -> None:
        number = 0
        while not self._done.is_set():
            number += 1
            name = f"fault {who} {number}"
            answer = asked(self.loop, self.loop.console.predictor_url, name)
            if answer is None:
                time.sleep(0.05)  # whoever asks retries: nobody listens for a moment
            elif answer.status_code == 200:
                said = answer.json()
                self.answered[name] = (time.monotonic(), said["parameters"]["arm"], said["model_version"])
            else:
                self.errors.append(f"{answer.status_code} {answer.text[:300]}")


def asked(loop: Loop, url: str, name: str = "one") -> httpx.Response | None:
    """None where the connection is refused or breaks: to be retried."""
    question = {"id": name, **digits.question([digits.all_digits()[0][0]]), "parameters": {"entity": name}}
    try:
        return httpx.post(
            f"{url}/v2/models/{loop.slug}/infer", json=question, headers=loop.console.predictor_headers, timeout=20
        )
    except httpx.TransportError:
        return None


def version_at(loop: Loop, url: str) -> str:
    answer = asked(loop, url)
    return str(answer.json()["model_version"]) if answer is not None and answer.status_code == 200 else ""


def until_all(loop: Loop, urls: list[str], number: str) -> None:
    until(lambda: all(version_at(loop, url) == number for url in urls), f"v{number} is not in force", every_s=0.02)


@contextmanager
def predictor(console: Console, port: int, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    own = console.environment(PREDICTOR_PORT=str(port), PREDICTOR_GRPC_PORT="0", OMP_NUM_THREADS="1", **more)
    with console.output.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.predictor"],
            cwd=ROOT,
            env=own,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def two(loop: Loop) -> tuple[int, int]:
    """The champion's number, and that of another version."""
    versions = loop.versions()
    other = next((v for v in versions if v["number"] != loop.champion()), None) or loop.new_version()
    return int(loop.champion() or 0), int(other["number"])


def version(loop: Loop, number: int) -> dict[str, object]:
    return next(v for v in loop.versions() if v["number"] == number)


def test_a_predictor_killed_with_a_canary_on_costs_retries_and_no_answer_that_the_log_promised(
    loop: Loop, console: Console, lin: httpx.Client, two: tuple[int, int]
) -> None:
    assert lin.put(f"/api/v1/projects/{loop.id}/release-policy/", json={"policy": CANARY}).status_code == 200
    released = lin.post(f"/api/v1/models/{version(loop, two[1])['id']}/release/", json={"reason": REASON})
    assert released.status_code in (200, 201), released.text
    try:
        with Users(loop) as users:
            until(lambda: {arm for _, arm, _ in users.answered.values()} == {"champion", "canary"}, "no canary")
            time.sleep(1.0)
            killed_at = time.monotonic()
            console.kill("predictor")
            until(lambda: any(at > killed_at + 1 for at, *_ in users.answered.values()), "no answer after the kill")
        assert users.errors == [], "whoever asked saw more than a connection that broke"
        arms = {name: arm for name, (_, arm, _) in users.answered.items()}
        assert {arm for name, arm in arms.items() if users.answered[name][0] > killed_at} == {"champion", "canary"}
        promised = set(users.answered)
        with psycopg.connect(embedded.known_urls(console.home).database) as database:

            def logged() -> set[str]:
                rows = database.execute(
                    "SELECT inference_id FROM monitoring_prediction WHERE inference_id LIKE 'fault %'"
                )
                return {row[0] for row in rows.fetchall()}

            until(lambda: promised <= logged(), "acknowledged answers are not logged", within_s=10)
    finally:
        rollout = console.get(lin, f"projects/{loop.id}/rollouts/")["results"][0]
        lin.post(f"/api/v1/rollouts/{rollout['id']}/abort/", json={})
        assert lin.put(f"/api/v1/projects/{loop.id}/release-policy/", json={"policy": {"steps": [{"setWeight": 100}]}})


def test_two_predictors_confirm_together_and_a_roll_back_is_in_force_on_both_within_a_second(
    loop: Loop, console: Console, lin: httpx.Client, two: tuple[int, int]
) -> None:
    port = free_ports(1)[0]
    urls = [console.predictor_url, f"http://127.0.0.1:{port}"]
    taken = []
    with predictor(console, port) as second:
        until(lambda: version_at(loop, urls[1]) == str(loop.champion()), "the second predictor does not answer")
        for _ in range(3):
            before = str(loop.champion())
            new = next(v for v in loop.versions() if str(v["number"]) != before)
            assert loop.promote(new).status_code == 201
            until_all(loop, urls, str(new["number"]))
            at = time.monotonic()
            body = {"reason": "measured", "champion": new["number"]}
            assert lin.post(f"/api/v1/projects/{loop.id}/roll-back/", json=body).status_code in (200, 201)
            until_all(loop, urls, before)
            taken.append(time.monotonic() - at)
        second.send_signal(signal.SIGSTOP)  # it lives and says nothing
        new = next(v for v in loop.versions() if str(v["number"]) != before)
        assert loop.promote(new).status_code == 201
        page = until(
            lambda: (p := lin.get(f"/projects/{loop.id}/models/").text) and "1 of 2 predictors" in p and p, "no count"
        )
        assert "answer with it" in page
        os.kill(second.pid, signal.SIGKILL)
        until(
            lambda: "1 of 2 predictors" not in lin.get(f"/projects/{loop.id}/models/").text, "a dead one is waited for"
        )
    assert sorted(taken)[1] < IN_FORCE_S, taken


def test_a_predictor_that_starts_without_database_and_storage_serves_the_last_release(
    loop: Loop, console: Console, lin: httpx.Client
) -> None:
    champion = str(loop.champion())
    until(lambda: version_at(loop, console.predictor_url) == champion, "the champion does not answer")
    port = free_ports(1)[0]
    kept = console.home / "predictor"
    until(lambda: (kept / str(console.predictor_port) / "manifest.json").exists(), "nothing is kept")
    shutil.copytree(kept / str(console.predictor_port), kept / str(port))
    nowhere = {
        "DATABASE_URL": "postgres://fastloop:x@127.0.0.1:1/fastloop",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "STORAGE_URL": f"file://{console.home}/gone",
    }
    with predictor(console, port, **nowhere):
        until(lambda: version_at(loop, f"http://127.0.0.1:{port}") == champion, "it does not serve what it kept")

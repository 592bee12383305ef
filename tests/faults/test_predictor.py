"""A promotion under traffic, a double click on it, and a predictor that dies."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.console import Console, until
from tests.loops import Loop

pytestmark = pytest.mark.fault
SERVES_WITHIN_S = 2.0
ROUNDS = 10


class Traffic:
    """Asks the champion without a pause; keeps when each answer came and who gave it."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.answers, self.failures = loop, list[tuple[float, str]](), list[str]()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with httpx.Client(timeout=20) as client:
            while not self._done.is_set():
                try:
                    answer = self.loop.ask(client)
                except httpx.HTTPError as cause:
                    self.failures.append(repr(cause))
                    continue
                if answer.status_code == 200:
                    self.answers.append((time.monotonic(), str(answer.json()["model_version"])))
                else:
                    self.failures.append(answer.text)


def test_a_promotion_under_traffic_serves_within_two_seconds_and_drops_nothing(loop: Loop) -> None:
    before, version = str(loop.champion()), loop.new_version()
    new = str(version["number"])
    with Traffic(loop) as traffic:
        until(lambda: len(traffic.answers) > 20, "no traffic")
        assert loop.promote(version).status_code == 201
        promoted_at = time.monotonic()
        until(lambda: traffic.answers[-1][1] == new, f"v{new} does not answer")
        time.sleep(1)
    assert traffic.failures == []
    first = next(at for at, who in traffic.answers if who == new)
    assert first - promoted_at < SERVES_WITHIN_S
    assert {who for _, who in traffic.answers} == {before, new}
    assert {who for _, who in traffic.answers[-10:]} == {new}


def test_a_double_click_on_promote_is_one_promotion_and_one_clear_answer(loop: Loop, console: Console) -> None:
    one, two = loop.versions()[-1], loop.versions()[0] if len(loop.versions()) > 1 else loop.new_version()
    assert one["number"] != two["number"]
    champion = loop.champion()
    audit = f"/projects/{loop.id}/audit/?verb=model.promoted"
    promotions = len(re.findall(r"Lin promoted v\d+", loop.lin.get(audit).text))
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            version = two if champion == one["number"] else one
            first, second = sorted(pool.map(loop.promote, [version, version]), key=lambda a: a.status_code)
            assert (first.status_code, second.status_code) == (201, 409)
            assert second.json()["detail"] == f"v{version['number']} is champion already; nothing was changed."
            champion = loop.champion()
            assert champion == version["number"]
            assert len(re.findall(r"Lin promoted v\d+", loop.lin.get(audit).text)) == promotions + number + 1


def test_a_killed_predictor_comes_back_with_the_champion(loop: Loop, console: Console) -> None:
    champion = str(loop.champion())
    until(lambda: loop.serves() == champion, "the champion does not answer")
    dead = console.kill("predictor")
    asked = loop.lin.post(f"/api/v1/projects/{loop.id}/predict/", json={"inputs": [{"name": "image"}]})
    assert (asked.status_code, asked.json()["code"]) == (503, "predictor_unavailable")
    until(lambda: loop.serves() == champion, "the predictor did not come back")
    assert console.pids("predictor") != [dead]

"""Micro-batching: who goes together, that each gets its own answer, and that nobody waits for nobody."""

import asyncio
import base64
import threading

import numpy as np
import pytest
from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput

from tests.workers.test_predictor import HOLLOW, LOANS, bundle_of, picture
from workers.predictor import batches
from workers.predictor.answers import answer
from workers.predictor.arms import LoadedModel
from workers.training.models.bundle import Bundle

EYES = bundle_of("image-classification", [base64.b64decode(picture())])


def loan(age: float, rows: int = 1) -> InferRequest:
    inputs = [InferInput("age", [rows], "FP64", [age] * rows), InferInput("job", [rows], "BYTES", ["nurse"] * rows)]
    return InferRequest("loans", inputs)


def image(value: object) -> InferRequest:
    return InferRequest("eyes", [InferInput("image", [1], "BYTES", [value])])


def loaded(bundle: Bundle) -> LoadedModel:
    return LoadedModel(bundle, 1, 1, "file:///a")


class Held:
    """Passes stop here until they are let go; `sizes` are the requests of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes, self.gate, self._whole = list[int](), threading.Event(), batches.apart
        monkeypatch.setattr(batches, "apart", self.apart)

    def apart(self, work, requests):
        self.sizes.append(len(requests))
        assert self.gate.wait(10)
        return self._whole(work, requests)


def together(asked_of: LoadedModel, requests: list[InferRequest], held: Held, *, then: float = 0.0) -> list[object]:
    """All of them asked at once; the gate opens `then` s after the last one came."""

    async def ask_all() -> list[object]:
        asked = [asyncio.ensure_future(asked_of.ask(each)) for each in requests]
        await asyncio.sleep(then)
        held.gate.set()
        return list(await asyncio.gather(*asked, return_exceptions=True))

    return asyncio.run(ask_all())


@pytest.fixture
def held(monkeypatch) -> Held:
    return Held(monkeypatch)


def test_those_that_come_during_a_pass_are_the_next_one_and_each_gets_its_own_answer(held):
    requests = [loan(float(age), rows=1 + age % 3) for age in range(20)]
    found = together(loaded(LOANS), requests, held)
    assert held.sizes == [1, 19]
    for request, probabilities in zip(requests, found, strict=True):
        assert np.allclose(probabilities, answer(LOANS, request), atol=1e-6)


def test_pictures_go_together_too_and_a_broken_one_fails_alone(held):
    requests = [image(picture()), image(picture(9, 4)), image(HOLLOW), image(picture(4, 9)), image("%")]
    found = together(loaded(EYES), requests, held)
    assert held.sizes == [1, 3], "what cannot be read at all goes nowhere"
    for place in (0, 1, 3):
        assert np.allclose(found[place], answer(EYES, requests[place]), atol=1e-6)
    assert isinstance(found[2], InvalidInput) and "Row 1 of the request cannot be read" in str(found[2])
    assert isinstance(found[4], InvalidInput) and "Image 1" in str(found[4])


def test_where_the_network_fails_on_one_the_others_are_answered(held, monkeypatch):
    def predict(bundle, payloads):
        if any(row["age"] == 3 for row in payloads):
            raise RuntimeError("shape mismatch")
        return np.full((len(payloads), 2), 0.5, np.float32)

    monkeypatch.setattr("workers.predictor.answers.predict", predict)
    found = together(loaded(LOANS), [loan(float(age)) for age in range(6)], held)
    assert [isinstance(each, RuntimeError) for each in found] == [False, False, False, True, False, False]


def test_a_pass_holds_no_more_rows_than_the_limit(held, settings):
    settings.PREDICTOR_MAX_BATCH_SIZE = 8
    found = together(loaded(LOANS), [loan(1.0), *(loan(2.0, rows=3) for _ in range(5)), loan(3.0, rows=9)], held)
    assert held.sizes == [1, 2, 2, 1, 1]
    assert [len(each) for each in found] == [1, 3, 3, 3, 3, 3, 9]


def test_who_has_waited_too_long_behind_a_pass_gets_one_beside_it(held, settings):
    settings.PREDICTOR_MAX_LATENCY_MS = 20
    together(loaded(LOANS), [loan(1.0), loan(2.0), loan(3.0)], held, then=0.3)
    assert held.sizes == [1, 2], "the second began while the first still ran"


def test_before_that_nobody_starts_beside_a_running_pass(held, settings):
    settings.PREDICTOR_MAX_LATENCY_MS = 5000
    served = loaded(LOANS)

    async def look() -> int:
        asked = [asyncio.ensure_future(served.ask(loan(1.0))) for _ in range(3)]
        await asyncio.sleep(0.1)
        started = served.batcher.passes
        held.gate.set()
        await asyncio.gather(*asked)
        return started

    assert asyncio.run(look()) == 1
    assert (served.batcher.passes, served.batcher.answered) == (2, 3)


def test_where_passes_are_long_a_second_one_starts_at_once(held, settings):
    settings.PREDICTOR_MAX_LATENCY_MS = 60_000
    served = loaded(LOANS)
    together(served, [loan(1.0)], held, then=0.1)
    held.gate.clear()
    together(served, [loan(1.0), loan(2.0), loan(3.0), loan(4.0)], held, then=0.1)
    assert held.sizes == [1, 1, 1, 2]


def test_one_that_asks_alone_waits_for_nobody(settings):
    settings.PREDICTOR_MAX_LATENCY_MS = 60_000
    served = loaded(LOANS)
    for _ in range(5):
        assert asyncio.run(asyncio.wait_for(served.ask(loan(1.0)), 5)).shape == (1, 2)
    assert (served.batcher.passes, served.batcher.answered) == (5, 5)


def test_whoever_hangs_up_takes_nobody_along(held):
    served = loaded(LOANS)

    async def hang_up() -> object:
        asked = [asyncio.ensure_future(served.ask(loan(float(n)))) for n in range(4)]
        await asyncio.sleep(0.05)
        asked[2].cancel()
        held.gate.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(hang_up())
    assert [isinstance(each, asyncio.CancelledError) for each in found] == [False, False, True, False]


def test_texts_of_a_champion_and_its_canary_are_encoded_together(held, monkeypatch):
    class Lengths:
        def encode(self, texts):
            return np.array([[len(text), 1.0] for text in texts], np.float16)

    monkeypatch.setattr("workers.predictor.answers.encoder_ready", lambda name: Lengths())
    batches.encoding.cache_clear()
    texts = bundle_of("text-classification", np.zeros((2, 2), np.float32))
    champion, canary = loaded(texts), loaded(texts)

    async def ask() -> list[object]:
        requests = [InferRequest("mail", [InferInput("text", [1], "BYTES", ["a" * n])]) for n in (1, 2, 3, 4)]
        arms = (champion, canary, canary, champion)
        asked = [asyncio.ensure_future(arm.ask(each)) for arm, each in zip(arms, requests, strict=True)]
        await asyncio.sleep(0)
        held.gate.set()
        return list(await asyncio.gather(*asked))

    found = asyncio.run(ask())
    assert held.sizes[:2] == [1, 3], "the first one, and then all that waited, whichever model they ask"
    assert np.allclose(
        found[0], answer(texts, InferRequest("mail", [InferInput("text", [1], "BYTES", ["a"])])), atol=1e-6
    )
    batches.encoding.cache_clear()

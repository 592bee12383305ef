"""Champion, canary and shadow in one predictor: who answers whom, what is logged, and what a canary that fails costs nobody."""

import asyncio
from dataclasses import replace

import pytest
from kserve import InferInput, InferRequest
from kserve.errors import InvalidInput
from prometheus_client import REGISTRY

from apps.releases.selectors import Route, ServedModel
from apps.rules.rollouts.arms import Arm
from tests.workers.test_predictor import LOANS, KeptLog, Shelf, bundle_of, watching
from workers.predictor import answers, kept, watch
from workers.predictor.arms import LoadedModel, ServingArms
from workers.predictor.models import MOST_FAILURES, ProjectModel

CHAMPION = LoadedModel(LOANS, 3, 1, "file:///a")
CANARY = LoadedModel(LOANS, 4, 1, "file:///b")
ROUTE = Route(7, 4, "file:///b", 30.0, 0.0, "salt")


def model(route: Route = ROUTE) -> ProjectModel:
    return ProjectModel("loans", ServingArms(CHAMPION, CANARY, route), KeptLog())


def request(entity: object = None, number: int = 0) -> InferRequest:
    inputs = [InferInput("age", [1], "FP64", [30.0]), InferInput("job", [1], "BYTES", ["nurse"])]
    parameters = {} if entity is None else {"entity": entity}
    return InferRequest("loans", inputs, request_id=f"r{number}", parameters=parameters)


def asked(served: ProjectModel, n: int = 200, *, fresh: bool = False) -> list[str]:
    """Which arm answered each of `n` entities, once all copies are answered too."""

    async def all_of_them() -> list[str]:
        answers = [await served.predict(request(f"user-{k}", k)) for k in range(n)]
        while served._shadows:
            await asyncio.gather(*served._shadows)
        return [answer.parameters["arm"] for answer in answers]

    return asyncio.run(all_of_them())


def test_an_entity_meets_one_model_and_raising_the_weight_moves_nobody_out():
    served = model()
    first = asked(served)
    assert asked(served) == first and 40 < first.count("canary") < 85
    served.serve(ServingArms(CHAMPION, CANARY, replace(ROUTE, weight=60.0)))
    later = asked(served)
    assert {k for k, arm in enumerate(first) if arm == "canary"} < {k for k, arm in enumerate(later) if arm == "canary"}


def test_the_log_says_which_arm_answered_whom_and_keeps_no_name():
    served = model()
    asked(served, 50)
    rows = served.log.rows
    assert len(rows) == 50 and {row.rollout for row in rows} == {7}
    assert {(row.arm, row.model_number) for row in rows} == {(Arm.CHAMPION, 3), (Arm.CANARY, 4)}
    assert len({row.entity for row in rows}) == 50 and all(isinstance(row.entity, int) for row in rows)


def test_without_a_rollout_nothing_of_it_is_logged():
    served = ProjectModel("loans", ServingArms(CHAMPION), KeptLog())
    assert set(asked(served, 20)) == {"champion"}
    assert {(row.arm, row.rollout, row.entity) for row in served.log.rows} == {(Arm.CHAMPION, None, None)}


def test_copies_are_answered_unseen_and_compared():
    served = model(replace(ROUTE, weight=0.0, mirror=100.0))
    assert set(asked(served, 30)) == {"champion"}
    shadows = [row for row in served.log.rows if row.arm == Arm.SHADOW]
    assert len(shadows) == 30 and all(row.agreed is True and row.model_number == 4 for row in shadows)


def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answers.predict

    def predict(bundle, rows):
        if bundle is BROKEN.bundle:
            raise RuntimeError("CUDA error")
        return whole(bundle, rows)

    monkeypatch.setattr(answers, "predict", predict)


BROKEN = replace(CANARY, bundle=replace(LOANS))


def test_who_meets_a_canary_that_fails_is_answered_by_the_champion(monkeypatch):
    failing(monkeypatch)
    served = ProjectModel("loans", ServingArms(CHAMPION, BROKEN, ROUTE), KeptLog())
    assert set(asked(served, 40)) == {"champion"}
    failed = [row for row in served.log.rows if row.failed]
    answered = [row for row in served.log.rows if not row.failed]
    assert failed and {row.arm for row in failed} == {Arm.CANARY} and len(answered) == 40
    twice = {row.inference_id for row in failed}
    assert {row.rollout for row in answered if row.inference_id in twice} == {None}, "it counts for neither arm"


def test_past_the_limit_the_canary_is_asked_no_more_and_the_figures_still_say_so(monkeypatch, caplog):
    failing(monkeypatch)
    served = ProjectModel("loans", ServingArms(CHAMPION, BROKEN, ROUTE), KeptLog())
    asked(served, 200)
    assert caplog.text.count("failed on a request") == MOST_FAILURES
    assert "its traffic goes to the champion" in caplog.text
    assert sum(row.failed for row in served.log.rows) > 40
    served.serve(ServingArms(CHAMPION, CANARY, replace(ROUTE, rollout_id=8)))
    assert "canary" in asked(served, 50), "the next rollout starts afresh"


def test_what_only_the_champion_can_read_the_champion_answers_and_the_canary_has_failed():
    more = bundle_of("tabular-classification", [{"age": n % 7, "job": "cook", "pay": n} for n in range(20)])
    served = ProjectModel("loans", ServingArms(CHAMPION, replace(CANARY, bundle=more), ROUTE), KeptLog())
    assert set(asked(served, 30)) == {"champion"}
    assert sum(row.failed for row in served.log.rows) > 3 and sum(not row.failed for row in served.log.rows) == 30


def test_what_nobody_can_read_is_the_clients_fault_and_no_failure_of_a_model():
    served = model(replace(ROUTE, weight=100.0))
    with pytest.raises(InvalidInput, match="pay"):
        asyncio.run(served.predict(InferRequest("loans", [InferInput("pay", [1], "FP64", [1.0])])))
    assert served.log.rows == []


@pytest.mark.parametrize("entity", [True, 1.5, ["a"], {"a": 1}, "x" * 201, "a\x00b", "\ud800"])
def test_an_entity_that_is_none_is_refused_in_words(entity):
    with pytest.raises(InvalidInput, match="entity"):
        asyncio.run(model().predict(request(entity)))


def test_a_number_is_an_entity():
    assert asyncio.run(model().predict(request(17))).parameters["rollout"] == 7


# The watcher


@pytest.fixture
def wanted(monkeypatch) -> list[ServedModel]:
    found = [ServedModel(1, "loans", "tabular-classification", 3, "file:///a", 11, True, ROUTE)]
    monkeypatch.setattr(watch, "served", lambda: list(found))
    monkeypatch.setattr(kept.wiring, "storage", lambda: Shelf())
    monkeypatch.setattr(watch, "close_old_connections", lambda: None)
    monkeypatch.setattr(watch, "replica_seen", lambda **said: None)
    monkeypatch.setattr(watch, "replicas_serve", lambda **said: True)
    return found


def test_the_watcher_follows_a_rollout_from_its_first_weight_to_its_end(wanted):
    from kserve.model_repository import ModelRepository

    repository = ModelRepository()
    watcher = watching(repository)
    watcher.look()
    serving = repository.get_model("loans").serving
    assert (serving.champion.version, serving.canary.version, serving.route.weight) == (3, 4, 30.0)
    wanted[0] = replace(wanted[0], route=replace(ROUTE, weight=50.0))
    watcher.look()
    later = repository.get_model("loans").serving
    assert later.canary is serving.canary and later.route.weight == 50.0
    wanted[0] = ServedModel(1, "loans", "tabular-classification", 4, "file:///b", 12, True)
    watcher.look()
    ended = repository.get_model("loans").serving
    assert ended.champion is serving.canary and ended.canary is None, "it is not loaded twice"


def test_after_an_abort_only_the_champion_is_left(wanted):
    from kserve.model_repository import ModelRepository

    repository = ModelRepository()
    watcher = watching(repository)
    watcher.look()
    wanted[0] = replace(wanted[0], route=None)
    watcher.look()
    assert repository.get_model("loans").serving == ServingArms(repository.get_model("loans").serving.champion)


def test_a_canary_that_does_not_load_leaves_the_champion_serving(wanted, monkeypatch):
    class Half(Shelf):
        def read(self, url: str) -> bytes:
            return b"half a file" if url == "file:///b" else super().read(url)

    from kserve.model_repository import ModelRepository

    monkeypatch.setattr(kept.wiring, "storage", lambda: Half())
    repository = ModelRepository()
    watcher = watching(repository)
    watcher.look()
    watcher.look()
    serving = repository.get_model("loans").serving
    assert serving.champion.version == 3 and serving.canary is None


# What /metrics says


def counted(name: str, *labels: str) -> float:
    names = ("project", "arm", "version")
    return REGISTRY.get_sample_value(name, dict(zip(names, labels, strict=False))) or 0.0


def test_each_arm_is_counted_and_a_version_that_serves_no_more_is_forgotten(monkeypatch):
    failing(monkeypatch)
    served = ProjectModel("counted", ServingArms(CHAMPION, BROKEN, ROUTE), KeptLog())
    asked(served, 40)
    failures = sum(row.failed for row in served.log.rows)
    assert counted("fastloop_predictor_requests_total", "counted", "champion", "3") == 40
    assert counted("fastloop_predictor_failures_total", "counted", "canary", "4") == failures > 3
    assert counted("fastloop_predictor_latency_seconds_count", "counted", "champion", "3") == 40
    with pytest.raises(InvalidInput):
        asyncio.run(served.predict(InferRequest("loans", [InferInput("pay", [1], "FP64", [1.0])])))
    assert counted("fastloop_predictor_refused_total", "counted") == 1
    served.serve(ServingArms(CANARY))
    assert counted("fastloop_predictor_requests_total", "counted", "champion", "3") == 0

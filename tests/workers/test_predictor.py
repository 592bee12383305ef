"""The predictor's own port: who may ask, what it refuses in words, what it logs, and how it follows the champions."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import torch
from django.conf import settings
from PIL import Image

from apps.monitoring.log.services import LoggedPrediction
from apps.releases.selectors import ServedModel
from tests.rules.test_pictures import png_of
from workers.predictor import __main__ as predictor
from workers.predictor import kept, watch
from workers.predictor.arms import LoadedModel, ServingArms
from workers.predictor.log import PredictionLog
from workers.predictor.models import ProjectModel
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle, dump

KEY = {"Authorization": f"Bearer {settings.PREDICTOR_KEY}"}
INFER = "/v2/models/loans/infer"


class KeptLog(PredictionLog):
    """Keeps what was answered."""

    def __init__(self) -> None:
        super().__init__(Path(mkdtemp()))
        self.rows: list[LoggedPrediction] = []

    def add(self, rows: list[LoggedPrediction]) -> None:
        self.rows += rows


def bundle_of(task: str, rows: list[Any]) -> Bundle:
    """Two labels, weights as they are drawn."""
    learner = learner_named(task)
    torch.manual_seed(1)
    fitted = learner.input.fit(rows)
    recipe = learner.recipe("full")
    return Bundle(("bad", "good"), recipe, fitted, fitted.network(recipe, 2).eval())


LOANS = bundle_of("tabular-classification", [{"age": n % 7, "job": "nurse" if n % 2 else "cook"} for n in range(20)])


def picture(width: int = 8, height: int = 8) -> str:
    out = io.BytesIO()
    Image.new("L", (width, height), 200).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Any, KeptLog]]:
    from kserve.model_repository import ModelRepository
    from kserve.protocol.model_repository_extension import ModelRepositoryExtension
    from starlette.testclient import TestClient

    log, repository = KeptLog(), ModelRepository()
    eyes = bundle_of("image-classification", [base64.b64decode(picture())])
    for slug, bundle in (("loans", LOANS), ("eyes", eyes)):
        repository.update(ProjectModel(slug, ServingArms(LoadedModel(bundle, 3, 1, "file:///a")), log))
    server = predictor.BoundServer(
        "kserve.model_server:app", predictor.NamedDataPlane(repository), ModelRepositoryExtension(repository), 0
    )
    server.create_application()
    from kserve.model_server import app

    with TestClient(app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as client:
        yield client, log


@pytest.fixture
def client(served: tuple[Any, KeptLog]) -> Any:
    served[1].rows.clear()
    return served[0]


@pytest.fixture
def log(served: tuple[Any, KeptLog]) -> KeptLog:
    return served[1]


def column(name: str, *data: Any) -> dict[str, Any]:
    return {"name": name, "shape": [len(data)], "datatype": "FP64", "data": list(data)}


AGE, JOB = column("age", 30), column("job", "nurse")


def sent(client: Any, body: dict[str, Any] | str, address: str = INFER, **headers: str) -> tuple[int, Any]:
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    answer = client.post(address, content=content, headers={"content-type": "application/json", **KEY, **headers})
    return answer.status_code, answer.json()


def test_a_request_with_the_key_is_answered_and_logged(client, log):
    status, answer = sent(client, {"id": "order 7", "inputs": [AGE, JOB]})
    assert (status, answer["id"], answer["model_version"]) == (200, "order 7", "3")
    assert [row.inference_id for row in log.rows] == ["order 7"]


@pytest.mark.parametrize("address", [INFER, "/v2/models", "/v2/models/loans", "/v2/models/loans/ready", "/metrics"])
@pytest.mark.parametrize(
    "said", ["", "Bearer wrong", f"Basic {settings.PREDICTOR_KEY}", f"Bearer {settings.SECRET_KEY}"]
)
def test_without_the_key_no_model_is_shown_or_asked(client, log, address, said):
    method = "POST" if address == INFER else "GET"
    answer = client.request(method, address, headers={"authorization": said} if said else {}, json={"inputs": [AGE]})
    assert answer.status_code == 401
    assert answer.json()["error"].startswith("The predictor answers its console, and whoever sends its key")
    assert log.rows == []


@pytest.mark.parametrize("address", ["/", "/v2", "/v2/health/live", "/v2/health/ready"])
def test_that_it_lives_and_whose_it_is_it_tells_anybody(client, address):
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/v2/repository/models/loans/unload",
        "/v2/repository/models/loans/load",
        "/v2/models/loans/versions/1/infer",
        "/v1/models/loans:predict",
        "/openapi.json",
        "/docs",
        "//v2/repository/models/loans/unload",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_takes_a_model_away_not_even_with_the_key(client, address, method):
    assert client.request(method, address, headers=KEY).status_code == 404
    assert sent(client, {"inputs": [AGE, JOB]})[0] == 200


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://127.0.0.1:8080"])
def test_a_page_in_a_browser_is_refused(client, log, origin):
    status, answer = sent(client, {"inputs": [AGE, JOB]}, origin=origin)
    assert (status, log.rows) == (403, [])
    assert "not pages in a browser" in answer["error"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:8080", 421),
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("10.0.0.7", 200),
        ("localhost.evil.example", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_a_name_that_somebody_bent_to_lead_here_is_refused(client, host, status):
    assert sent(client, {"inputs": [AGE, JOB]}, host=host)[0] == status


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"id": "a\\u0000b", "inputs": []}', "NUL"),
        ({"id": "a\x00b", "inputs": [AGE, JOB]}, "The id of the request holds a NUL character or half a character."),
        ('{"id": "\\ud800", "inputs": [' + json.dumps(AGE) + "]}", "half a character"),
        ({"id": "x" * 101, "inputs": [AGE, JOB]}, "at most 100 characters"),
        ({"id": 5, "inputs": [AGE, JOB]}, "id: "),
        ({"inputs": []}, "The request has 0 inputs"),
        ({"inputs": [AGE, AGE, JOB]}, "The input “age” stands twice"),
        ('{"inputs": [{"name": "\\ud800", "shape": [1], "datatype": "FP64", "data": [1]}]}', "half a character"),
        ({"inputs": [column("age", 1e308 * 10), JOB]}, "“age” holds a number that is not finite."),
        ('{"inputs": [{"name": "age", "shape": [1], "datatype": "FP64", "data": [1e999]}]}', "not finite"),
        ('{"inputs": [{"name": "age", "shape": [1], "datatype": "FP64", "data": [NaN]}]}', "not finite"),
        ({"inputs": [column("age", 10**400), JOB]}, "not finite"),
        ({"inputs": [column("age", "1" * 401), JOB]}, "“age” is a number, not “1111"),
        ({"inputs": [column("age", "banana"), JOB]}, "“age” is a number, not “banana” as in row 1."),
        ({"inputs": [column("age", [[]]), JOB]}, "Between 1 and 1,024 rows"),
        ({"inputs": [column("age", {"a": 1}), JOB]}, "“age” holds neither text nor a number."),
        ({"inputs": [column("agee", 30), JOB]}, "The model does not know “agee”. It reads “age”, “job”."),
        ({"inputs": [column("agee", 30)]}, "The model does not know “agee”."),
        ({"inputs": [AGE]}, "The request lacks “job”. Send null for a value that is missing"),
        ({"inputs": [AGE], "parameters": {"allow_missing": "yes"}}, "“allow_missing” is true or false"),
        ({"inputs": [column("age", 30, 31), JOB]}, "as many values as the others"),
        ({"inputs": [{**AGE, "shape": [2]}, JOB]}, "The shape of “age” does not hold 1 values."),
        ({"inputs": [{**AGE, "shape": [-1]}, JOB]}, "The shape of “age”"),
        ({"inputs": [{**AGE, "shape": [2**70]}, JOB]}, "shape"),
        ({"inputs": [column("age", *range(1025)), column("job", *["a"] * 1025)]}, "Between 1 and 1,024 rows"),
        ({"inputs": [column("age", "a\x00"), JOB]}, "“age” holds a NUL character"),
        ({"inputs": "none"}, "inputs: "),
        ({"inputs": [5]}, "inputs"),
        ("{", "JSON"),
        ("[" * 5000 + "]" * 5000, ""),
        ({"inputs": [{**AGE, "datatype": "FP16"}, JOB]}, "FP16"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused_in_words(client, log, body, words):
    status, answer = sent(client, body)
    assert status == 400, answer
    assert words in json.dumps(answer, ensure_ascii=False)
    assert log.rows == []


def test_missing_features_are_missing_values_where_the_request_says_so(client):
    whole, _ = sent(client, {"inputs": [column("age", None), JOB]})
    short, answer = sent(client, {"inputs": [JOB], "parameters": {"allow_missing": True}})
    assert (whole, short) == (200, 200), answer


@pytest.mark.parametrize("said", ["abc", "-1", "0", "999999", "12", "²", "9" * 5000])
@pytest.mark.parametrize("media_type", ["application/json", "application/octet-stream", "text/plain"])
def test_a_length_that_lies_is_refused(client, said, media_type):
    content = json.dumps({"inputs": [AGE, JOB]}).encode()
    headers = {**KEY, "content-type": media_type, "inference-header-content-length": said.encode("utf-8")}
    answer = client.post(INFER, content=content, headers=headers)
    assert answer.status_code == 400, answer.text


def test_a_true_length_with_binary_values_is_read(client):
    head = json.dumps(
        {
            "inputs": [
                {"name": "age", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}},
                {"name": "job", "shape": [1], "datatype": "BYTES", "data": ["cook"]},
            ]
        }
    ).encode()
    headers = {**KEY, "content-type": "application/octet-stream", "inference-header-content-length": str(len(head))}
    assert client.post(INFER, content=head + np.float64(30).tobytes(), headers=headers).status_code == 200
    assert client.post(INFER, content=head + b"1234", headers=headers).status_code == 400
    assert client.post(INFER, content=head + b"1" * 16, headers=headers).status_code == 400


def image_request(*values: Any) -> dict[str, Any]:
    return {"inputs": [{"name": "image", "shape": [len(values)], "datatype": "BYTES", "data": list(values)}]}


HOLLOW = base64.b64encode(png_of(8, 8, b"\x78\x9c" + b"\x00" * 18)).decode()  # whole outside, broken inside


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([picture(20_000, 20_000)], "Image 1: The image has more than the 50 million pixels"),
        ([picture(9_000, 9_000)], "Image 1: The image is 9000 by 9000 pixels"),
        ([picture(5_000, 5_000)] * 3, "at most 50 million pixels together; with image 3 they have more"),
        ([picture(), HOLLOW], "Row 2 of the request cannot be read"),
        ([picture(), 5], "Image 2: The image is neither bytes nor base64."),
        (["aGVsbG8="], "Image 1: The image cannot be read"),
    ],
)
def test_images_are_limited_by_their_pixels_and_broken_ones_named(client, log, values, words):
    status, answer = sent(client, image_request(*values), "/v2/models/eyes/infer")
    assert (status, log.rows) == (400, [])
    assert words in answer["error"]


@pytest.mark.parametrize("encoded_as", ["JPEG", "WEBP", "GIF", "BMP"])
def test_every_kind_of_picture_is_answered(client, encoded_as):
    out = io.BytesIO()
    Image.new("RGB", (90, 60), (9, 200, 40)).save(out, encoded_as)
    said = f"data:image/{encoded_as.lower()};base64,{base64.b64encode(out.getvalue()).decode()}"
    assert sent(client, image_request(said), "/v2/models/eyes/infer")[0] == 200


def test_a_model_that_is_not_there_is_404_and_too_large_a_request_413(client):
    assert sent(client, {"inputs": [AGE]}, "/v2/models/nobody/infer")[0] == 404
    assert sent(client, {"inputs": [AGE]}, **{"content-length": "64000001"})[0] == 413
    unsized = client.post(INFER, content=iter([b"{}"]), headers=KEY)
    assert unsized.status_code == 411


# Which model answers


class Shelf:
    """A storage that has one model."""

    def read(self, url: str) -> bytes:
        return dump(LOANS)


def watching(repository: Any, folder: Path | None = None) -> watch.Watcher:
    """A watcher whose copies nobody finds again, unless a folder is given."""
    return watch.Watcher(repository, KeptLog(), kept.KeptRelease(folder or Path(mkdtemp())), "here:1")


@pytest.fixture
def champions(monkeypatch) -> list[ServedModel]:
    found = [ServedModel(1, "loans", "tabular-classification", 3, "file:///a", 11, False)]
    confirmed: list[int] = []
    monkeypatch.setattr(watch, "served", lambda: list(found))
    monkeypatch.setattr(kept.wiring, "storage", lambda: Shelf())
    monkeypatch.setattr(watch, "serving_confirmed", lambda **said: confirmed.append(said["promotion_id"]))
    monkeypatch.setattr(watch, "close_old_connections", lambda: None)
    monkeypatch.setattr(watch, "replica_seen", lambda **said: None)
    monkeypatch.setattr(watch, "replicas_serve", lambda **said: True)
    return found


def test_a_champion_that_was_taken_away_comes_back_at_the_next_look(champions):
    from kserve.model_repository import ModelRepository

    repository = ModelRepository()
    watcher = watching(repository)
    watcher.look()
    assert repository.get_model("loans").serving.champion.version == 3
    repository.unload("loans")
    watcher.look()
    assert repository.get_model("loans").serving.champion.version == 3
    champions.clear()
    watcher.look()
    assert repository.get_models() == {}


def test_one_projects_fault_keeps_no_other_project_waiting(champions, monkeypatch):
    from kserve.model_repository import ModelRepository

    champions.insert(0, ServedModel(2, "broken", "tabular-classification", 1, "file:///b", 12, False))

    def confirm(*, promotion_id: int, at: object) -> None:
        if promotion_id == 12:
            raise ValueError("year -1 is out of range")

    monkeypatch.setattr(watch, "serving_confirmed", confirm)
    repository = ModelRepository()
    watching(repository).look()
    assert set(repository.get_models()) == {"broken", "loans"}


# The short way and kserve's own


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (INFER, {"id": "a", "inputs": [AGE, JOB], "parameters": {"entity": 7}}),
        (INFER, {"id": "a", "inputs": [column("age", 30, None, 5), column("job", "nurse", "cook", "x")]}),
        (INFER, {"id": "a", "inputs": [{**AGE, "data": [[30]], "shape": [1, 1]}, JOB]}),
        ("/v2/models/eyes/infer", {"id": "a", **image_request(picture(), picture(3, 5))}),
        (INFER, {"id": "a", "inputs": [column("age", "banana"), JOB]}),
    ],
)
def test_the_short_way_answers_as_kserves_own_does(client, log, monkeypatch, address, body):
    short = sent(client, body, address)
    rows, log.rows = log.rows, []
    monkeypatch.setattr("workers.predictor.route.plain_request", lambda body: None)
    status, answer = sent(client, body, address)
    for output in answer.get("outputs", []):
        assert output.pop("parameters") is None
    assert short == (status, answer)
    said = ("inference_id", "label", "confidence", "model_number", "arm")
    assert [[getattr(row, name) for name in said] for row in rows] == [
        [getattr(row, name) for name in said] for row in log.rows
    ]


def test_a_plain_request_takes_the_short_way(client, monkeypatch):
    monkeypatch.setattr(predictor.NamedDataPlane, "decode", None)
    assert sent(client, {"inputs": [AGE, JOB]})[0] == 200


@pytest.mark.parametrize(("wants_key", "status"), [(True, 401), (False, 200)])
def test_the_key_can_be_left_out_where_the_setting_says_so(wants_key, status):
    from starlette.responses import PlainTextResponse
    from starlette.testclient import TestClient

    door = predictor.Door(PlainTextResponse("in"), key="k", names=(), wants_key=wants_key)
    assert TestClient(door, base_url="http://127.0.0.1").get("/v2/models").status_code == status

"""A model's own page: what it reads, and its file as an archive that is asked without the console."""

import gc
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from apps.accounts.models import User
from apps.audit.models import Event
from apps.integrations import wiring
from apps.pages.streams import A_PERSON, places
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.rules.signature import HeaderUnreadable, header_of, signature_of
from apps.training.models import Run
from tests.api import api_of
from tests.releases.files import bundle_of, with_file
from tests.rows import labeled, model
from workers.predictor.answers import answer
from workers.predictor.arms import LoadedModel, ServingArms
from workers.predictor.models import ProjectModel
from workers.training.fit.members import MemberSettings, TableMembers
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle, dump, predict
from workers.training.models.linear import HashedInput, LinearImage, LinearText
from workers.training.models.networks import TabularNet
from workers.training.standalone import Model, rows_of

As = Callable[[User], Client]


def png_of(pixels: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


TABLE: list[dict[str, Any]] = [
    {"age": n % 7, "job": "nurse" if n % 2 else "cook", "zip": None if n % 5 else 12.5} for n in range(40)
]
PICTURES = [png_of(np.random.default_rng(n).integers(0, 255, (20, 16, 3), np.uint8)) for n in range(6)]
VECTORS = np.random.default_rng(1).normal(size=(6, 384)).astype(np.float32)


def linear_of(task: str, kind: Any, rows: Any) -> Bundle:
    learner = learner_named(task)
    read, recipe = kind.begun(rows, 2), learner.recipe("online")
    random = np.random.default_rng(3)
    seen = {int(pair.split(":")[0]) for line in read.lines(rows) for pair in line.split()}
    weights = {index: random.normal(size=2).astype(np.float32) for index in (0, *sorted(seen)[::2])}
    fitted, network = read.bundled(weights, 2, recipe)
    return Bundle(("bad", "good"), recipe, fitted, network.eval(), 0.8)


def blended_table() -> Bundle:
    """With boosted trees and a regression beside its network."""
    bundle, y = bundle_of("tabular-classification", TABLE), np.array([row["age"] > 2 for row in TABLE], np.int64)
    assert isinstance(bundle.module, TabularNet)
    members = TableMembers(bundle.module, bundle.preprocessor.tensor(TABLE), y, 0)
    bundle.module.beside = members.fitted(np.arange(len(y)), MemberSettings(30, 1.0), (0.2, 0.5, 0.3))
    return bundle


BUNDLES: dict[str, tuple[Callable[[], Bundle], Any]] = {
    "table": (lambda: bundle_of("tabular-classification", TABLE), TABLE),
    "blended table": (blended_table, TABLE),
    "image": (lambda: bundle_of("image-classification", PICTURES), PICTURES),
    "image of 8": (lambda: bundle_of("image-classification", [png_of(np.zeros((8, 8), np.uint8))]), PICTURES),
    "text": (lambda: bundle_of("text-classification", VECTORS), VECTORS),
    "linear text": (lambda: bundle_of("text-classification", VECTORS, hidden=0), VECTORS),
    "online table": (lambda: linear_of("tabular-classification", HashedInput, TABLE), TABLE),
    "online image": (lambda: linear_of("image-classification", LinearImage, PICTURES), PICTURES),
    "online text": (lambda: linear_of("text-classification", LinearText, VECTORS), VECTORS),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_the_program_of_the_archive_answers_as_the_console_does(name: str, tmp_path: Path) -> None:
    make, rows = BUNDLES[name]
    bundle = make()
    (tmp_path / "model.safetensors").write_bytes(dump(bundle))
    found = Model(tmp_path).answer(rows)
    expected = predict(bundle, rows)
    assert np.ptp(expected[:, 0]) > 1e-4 or name == "image of 8"  # rows that all look alike would prove nothing
    np.testing.assert_allclose(
        [[row["probabilities"][x] for x in ("bad", "good")] for row in found], expected, atol=1e-5
    )


@pytest.fixture
def kept(make_project: Callable[..., Project]) -> ModelVersion:
    """A model of table rows with its file."""
    project = make_project("tabular-classification", ("bad", "good"), name="Loans")
    labeled(project)
    return with_file(model(project), bundle_of("tabular-classification", TABLE))


def url(version: ModelVersion, name: str = "download") -> str:
    return reverse(f"releases:{name}", args=[version.project_id, version.pk])


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_lin_downloads_a_model_and_asks_it_without_the_console(
    as_: As, lin: User, kept: ModelVersion, tmp_path: Path
) -> None:
    reply = as_(lin).get(url(kept))
    content = body(reply)
    assert reply["Content-Disposition"] == f'attachment; filename="{kept.project.slug}-v1.zip"'
    assert int(reply["Content-Length"]) == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = {Path(name).name for name in archive.namelist()}
        archive.extractall(tmp_path)
    assert names == {"README.md", "manifest.json", "labels.json", "signature.json", "predict.py", "model.safetensors"}
    folder = tmp_path / f"{kept.project.slug}-v1"
    assert json.loads((folder / "labels.json").read_text()) == ["bad", "good"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["weights_sha256"] == sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert manifest["run"]["number"] == 1 and manifest["verdict"] == "pass"
    # -I: neither this folder nor its packages are there for the program
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "predict.py"), str(folder / "signature.json")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (said,) = json.loads(done.stdout)
    assert said["label"] in ("bad", "good") and sum(said["probabilities"].values()) == pytest.approx(1)


def test_a_download_is_audited_once_and_its_later_parts_are_not(as_: As, lin: User, kept: ModelVersion) -> None:
    browser = as_(lin)
    whole = body(browser.get(url(kept)))
    event = Event.objects.get(verb="model.downloaded")
    assert event.actor == lin and event.after == {"weights": kept.run.weights_digest, "bytes": len(whole)}
    first = browser.get(url(kept), headers={"Range": "bytes=0-99"})
    assert first.status_code == 206 and first["Content-Range"] == f"bytes 0-99/{len(whole)}"
    rest = browser.get(url(kept), headers={"Range": "bytes=100-", "If-Range": first["ETag"]})
    assert body(first) + body(rest) == whole
    assert Event.objects.filter(verb="model.downloaded").count() == 2  # the whole one, and the one in two parts


@pytest.mark.parametrize(
    ("asked", "status", "begin", "end"),
    [
        ("bytes=-50", 206, -50, None),
        ("bytes=10-19", 206, 10, 20),
        ("bytes=10-99999999999", 206, 10, None),
        ("bytes=0-", 206, 0, None),
        ("bytes=20-10", 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("lines=0-1", 200, 0, None),
        ("bytes=" + "9" * 30 + "-", 200, 0, None),
    ],
)
def test_ranges(as_: As, lin: User, kept: ModelVersion, asked: str, status: int, begin: int, end: int | None) -> None:
    browser = as_(lin)
    whole = body(browser.get(url(kept)))
    part = browser.get(url(kept), headers={"Range": asked})
    assert part.status_code == status and body(part) == whole[begin:end]
    assert int(part["Content-Length"]) == len(whole[begin:end])


def test_a_range_past_the_end_is_refused_and_one_of_another_file_is_the_whole(
    as_: As, lin: User, kept: ModelVersion
) -> None:
    browser = as_(lin)
    past = browser.get(url(kept), headers={"Range": "bytes=99999999-"})
    assert past.status_code == 416 and past["Content-Range"].startswith("bytes */")
    changed = browser.get(url(kept), headers={"Range": "bytes=5-9", "If-Range": '"of-another"'})
    assert changed.status_code == 200
    body(changed)
    assert not Event.objects.filter(verb="model.downloaded").exclude(after__bytes=int(changed["Content-Length"]))


def test_a_person_has_three_downloads_at_once_and_places_come_back(as_: As, lin: User, kept: ModelVersion) -> None:
    browser = as_(lin)
    for _ in range(A_PERSON + 2):
        reply = browser.get(url(kept))
        body(reply)
        del reply  # the server closes it; so does its end
    gc.collect()
    held = [browser.get(url(kept)) for _ in range(A_PERSON)]
    assert browser.get(url(kept)).status_code == 429
    held.clear()
    gc.collect()
    assert places._open[lin.pk] == 0


def test_who_may_only_look_sees_the_signature_and_no_file(as_: As, mona: User, ada: User, kept: ModelVersion) -> None:
    page = as_(mona).get(url(kept, "model"))
    assert "Input signature" in page.text and "An engineer or admin can download it." in page.text
    assert url(kept) not in page.text
    assert as_(mona).get(url(kept)).status_code == 403
    assert api_of(mona).get(f"/api/v1/models/{kept.pk}/download/").status_code == 403
    assert as_(ada).get(url(kept, "model")).status_code == 403
    assert not Event.objects.filter(verb="model.downloaded").exists()


def test_the_signature_tells_types_ranges_and_values_and_a_request_that_is_answered(
    as_: As, lin: User, kept: ModelVersion
) -> None:
    reply = api_of(lin).get(f"/api/v1/models/{kept.pk}/").json()
    columns = {each["name"]: each for each in reply["signature"]["inputs"]}
    assert (columns["age"]["kind"], columns["age"]["low"], columns["age"]["high"]) == ("number", 0, 6)
    assert (columns["job"]["kind"], columns["job"]["values"]) == ("category", ["cook", "nurse"])
    assert (columns["zip"]["low"], columns["zip"]["high"]) == (12.5, 12.5)
    assert reply["signature"]["labels"] == ["bad", "good"] and reply["number"] == 1 and reply["unreadable"] == ""
    page = as_(lin).get(url(kept, "model"))
    assert "0 to 6, 2.88" in page.text and "cook, nurse" in page.text
    assert body(api_of(lin).get(f"/api/v1/models/{kept.pk}/download/"))[:2] == b"PK"


@pytest.mark.parametrize("name", ["table", "image", "online table", "online image"])
def test_the_example_of_every_signature_is_a_request_that_the_predictor_takes(name: str) -> None:
    from kserve import InferInput, InferRequest

    bundle = BUNDLES[name][0]()
    signature = signature_of(header_of(io.BytesIO(dump(bundle))))
    inputs = [InferInput(x["name"], x["shape"], x["datatype"], x["data"]) for x in signature.example["inputs"]]
    found = answer(bundle, InferRequest("loans", inputs))
    assert found.shape == (1, 2)
    assert len(rows_of(signature.example)) == 1


def test_the_predictors_metadata_name_the_inputs() -> None:
    served = ProjectModel("loans", ServingArms(LoadedModel(BUNDLES["table"][0](), 1, 1, "")), None)  # type: ignore[arg-type]
    assert served.get_input_types() == [
        {"name": "age", "datatype": "FP64", "shape": [-1]},
        {"name": "zip", "datatype": "FP64", "shape": [-1]},
        {"name": "job", "datatype": "BYTES", "shape": [-1]},
    ]
    assert [each["name"] for each in served.get_output_types()] == ["label", "confidence", "probabilities"]
    assert served.get_output_types()[2]["shape"] == [-1, 2]


def test_a_model_of_before_has_no_ranges_and_says_so(as_: As, lin: User, kept: ModelVersion) -> None:
    about = header_of(io.BytesIO(dump(BUNDLES["table"][0]())))
    del about["preprocessor"]["ranges"]
    (age, *_) = signature_of(about).inputs
    assert (age.name, age.low, age.high) == ("age", None, None) and age.typical == pytest.approx(2.875)


def test_a_file_that_is_gone_or_changed_is_refused_in_words(as_: As, lin: User, kept: ModelVersion) -> None:
    Run.objects.filter(pk=kept.run.pk).update(weights_digest="0" * 64)
    changed = as_(lin).get(url(kept))
    assert changed.status_code == 409 and "is not what the run wrote" in changed.text
    wiring.storage().remove(kept.run.artifact_url)
    page = as_(lin).get(url(kept, "model"))
    assert page.status_code == 200 and "The file of v1 cannot be read: it is not there any more." in page.text
    assert as_(lin).get(url(kept)).status_code == 409
    told = api_of(lin).get(f"/api/v1/models/{kept.pk}/").json()
    assert told["signature"] is None and "not there any more" in told["unreadable"]
    assert not Event.objects.filter(verb="model.downloaded").exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"\xff" * 64, b"\x02" + b"\x00" * 7 + b"{}", b"GIF89a" * 9])
def test_a_damaged_header_is_said_in_words(content: bytes) -> None:
    with pytest.raises(HeaderUnreadable, match="damaged"):
        header_of(io.BytesIO(content))

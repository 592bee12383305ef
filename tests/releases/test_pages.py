"""The run page, the models page, and a question to the champion."""

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from apps.accounts.models import User
from apps.errors import Invalid
from apps.evaluation.models import Outcome
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.projects.models import Project
from apps.releases import inference
from apps.releases.services import model_promote, serving_confirm
from apps.training.models import Run
from apps.training.services import ownership
from tests.conftest import NOON
from tests.rows import labeled, model, progress, started, trained

As = Callable[[User], Client]
HX = {"HX-Request": "true"}


def run_url(project: Project, run_id: int, name: str = "run") -> str:
    return reverse(f"releases:{name}", args=[project.pk, run_id])


def test_a_queued_run_has_a_page(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    page = as_(lin).get(run_url(project, started(project).pk))
    assert page.status_code == 200
    assert "Queued" in page.text and "Cancel run" in page.text


def test_a_running_run_says_how_far_it_is(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = ownership.run_claim(run_id=started(project).pk, at=NOON)
    assert run.owner is not None
    ownership.run_report(run_id=run.pk, owner=run.owner, progress=progress(62), at=NOON)
    page = as_(lin).get(run_url(project, run.pk, "run_progress"))
    assert "Step 62 of 100" in page.text and "7.0 s left" in page.text


@pytest.mark.parametrize(("device", "words"), [("CPU, 2 threads", "CPU 78 % busy"), ("NVIDIA H100", "GPU 78 % busy")])
def test_a_running_run_says_how_busy_its_device_is(
    as_: As, lin: User, project: Project, device: str, words: str
) -> None:
    labeled(project)
    run = ownership.run_claim(run_id=started(project).pk, at=NOON)
    assert run.owner is not None
    Run.objects.filter(pk=run.pk).update(device=device)
    told = replace(progress(62), learning_rate=0.00123, device_percent=78.2, memory_mb=812.4)
    ownership.run_report(run_id=run.pk, owner=run.owner, progress=told, at=NOON)
    page = as_(lin).get(run_url(project, run.pk, "run_progress"))
    line = " ".join(page.text.split())
    assert f"loss 0.016 · learning rate 1.2e-03 · {words} · 812 MB of memory" in line


def test_a_fine_tune_says_what_it_did_with_its_device(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = trained(project)
    Run.objects.filter(pk=run.pk).update(
        measured={
            "tokens_per_s": 412345.6,
            "samples_per_s": 8200.2,
            "peak_memory_mb": 5120.4,
            "peak_share": 0.4149,
            "world_size": 2,
        }
    )
    page = as_(lin).get(run_url(project, run.pk, "run_progress"))
    line = " ".join(page.text.split())
    assert (
        "412,346 tokens/s, 8200 examples/s, at most 5120 MB of memory, 41 % of what the GPU could compute, "
        "2 processes together"
    ) in line


def test_a_failed_run_says_why_and_keeps_the_traceback_for_engineers(
    as_: As, lin: User, mona: User, project: Project
) -> None:
    labeled(project)
    run = ownership.run_claim(run_id=started(project).pk, at=NOON)
    assert run.owner is not None
    ownership.run_fail(
        run_id=run.pk, owner=run.owner, sentence="Row 3 cannot be read.", traceback="Traceback: x", at=NOON
    )
    engineer, manager = as_(lin).get(run_url(project, run.pk)).text, as_(mona).get(run_url(project, run.pk)).text
    assert "Row 3 cannot be read." in engineer and "Traceback: x" in engineer
    assert "Row 3 cannot be read." in manager and "Traceback: x" not in manager


def test_a_judged_run_shows_gates_intervals_and_the_way_on(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON)
    second = model(project, base=first.run)
    page = as_(lin).get(run_url(project, second.run_id))
    assert "surely better" in page.text
    assert "+0.3 to +3.6" in page.text and "Promote v2" in page.text


def test_a_judged_run_that_failed_offers_no_promotion(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    version = model(project, Outcome.FAIL)
    page = as_(lin).get(run_url(project, version.run_id, "run_verdict"))
    assert "It cannot be promoted" in page.text
    assert reverse("releases:promote", args=[project.pk, version.pk]) not in page.text


def test_the_confusion_matrix_is_a_figure_that_plotly_takes(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    version = model(project)
    figures = as_(lin).get(run_url(project, version.run_id, "run_figures")).json()
    go.Figure(figures["confusion"])
    assert figures["confusion"]["data"][0]["text"] == [[45, 5], [5, 45]]


@pytest.mark.parametrize("name", ["run", "run_head", "run_progress", "run_verdict", "run_figures"])
def test_ada_and_mallory_see_no_run(as_: As, ada: User, mallory: User, project: Project, name: str) -> None:
    labeled(project)
    run = trained(project)
    assert as_(ada).get(run_url(project, run.pk, name)).status_code == 403
    assert as_(mallory).get(run_url(project, run.pk, name)).status_code == 404


def test_models_of_an_empty_project_say_where_they_come_from(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("releases:models", args=[project.pk]))
    assert page.status_code == 200 and "No model yet" in page.text


def test_a_confirm_says_who_is_touched_and_what_stays(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON)
    model_promote(version=model(project, base=first.run), reason="", by=lin, at=NOON)
    page = as_(lin).get(reverse("releases:models", args=[project.pk]))
    assert "All requests on v1 within 2 s. v2 keeps its evidence." in page.text
    assert 'name="expected_champion" value="2"' in page.text


class Knows:
    """A predictor that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def infer(self, *, model: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((model, request))
        outputs = [{"name": "label", "datatype": "BYTES", "data": ["ham"]}, {"name": "confidence", "data": [0.913]}]
        return {"outputs": outputs, "parameters": {"model_version": 7}}


class Away:
    def __init__(self, *, permanent: bool = False) -> None:
        self.permanent = permanent

    def infer(self, *, model: str, request: dict[str, Any]) -> dict[str, Any]:
        raise Unavailable("The predictor does not answer.", permanent=self.permanent)


def test_the_champion_answers_with_label_confidence_and_version(
    as_: As, lin: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Knows()
    monkeypatch.setattr(wiring, "predictor", predictor)
    answer = as_(lin).post(reverse("releases:try", args=[project.pk]), {"text": "hello"}, headers=HX)
    assert answer.status_code == 200
    assert "ham" in answer.text and "91.3 %" in answer.text and "v7" in answer.text
    assert predictor.asked == [
        (project.slug, {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["hello"]}]})
    ]


def test_a_predictor_that_is_away_is_told_in_a_sentence(
    as_: As, lin: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "predictor", Away())
    answer = as_(lin).post(reverse("releases:try", args=[project.pk]), {"text": "hello"}, headers=HX)
    assert answer.status_code == 503 and "The predictor does not answer." in answer.text


def test_a_question_that_the_predictor_refuses_is_wrong_input(
    as_: As, lin: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "predictor", Away(permanent=True))
    assert as_(lin).post(reverse("releases:try", args=[project.pk]), {"text": "hello"}, headers=HX).status_code == 422


def test_an_empty_text_is_not_sent(as_: As, lin: User, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Knows()
    monkeypatch.setattr(wiring, "predictor", predictor)
    assert as_(lin).post(reverse("releases:try", args=[project.pk]), {"text": " "}, headers=HX).status_code == 422
    assert predictor.asked == []


def test_mona_may_not_ask_the_champion(as_: As, mona: User, project: Project) -> None:
    assert as_(mona).post(reverse("releases:try", args=[project.pk]), {"text": "hello"}).status_code == 403


def test_an_image_travels_as_base64(
    as_: As, lin: User, make_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, predictor, file = make_project("image-classification"), Knows(), io.BytesIO()
    Image.new("L", (8, 8)).save(file, "PNG")
    monkeypatch.setattr(wiring, "predictor", predictor)
    upload = SimpleUploadedFile("digit.png", file.getvalue(), "image/png")
    assert as_(lin).post(reverse("releases:try", args=[project.pk]), {"image": upload}, headers=HX).status_code == 200
    sent = predictor.asked[0][1]["inputs"][0]
    assert sent["name"] == "image" and base64.b64decode(sent["data"][0]) == file.getvalue()


def test_features_travel_one_by_one_numbers_as_numbers() -> None:
    fields = {"feature-age": "41", "feature-plan": "gold", "feature-usage": ""}
    request = inference.request_for("tabular-classification", fields, None, {"age": 3, "plan": "x", "usage": 1.5})
    assert request["inputs"] == [
        {"name": "age", "shape": [1], "datatype": "FP64", "data": [41.0]},
        {"name": "plan", "shape": [1], "datatype": "BYTES", "data": ["gold"]},
    ]


def test_a_word_where_a_number_belongs_is_named() -> None:
    with pytest.raises(Invalid, match="“age” needs a number"):
        inference.request_for("tabular-classification", {"feature-age": "old"}, None, {"age": 3})


def test_the_board_looks_again_by_itself_while_the_predictor_loads(as_: As, project: Project, lin: User) -> None:
    """The word that it answers may fall between the page and its socket."""
    labeled(project)
    promotion = model_promote(version=model(project), reason="Fits.", by=lin, at=NOON)
    page = as_(lin).get(reverse("releases:models", args=[project.pk])).content.decode()
    assert "The predictor is loading it" in page and ", every 2s" in page
    serving_confirm(promotion_id=promotion.pk, at=NOON)
    page = as_(lin).get(reverse("releases:models", args=[project.pk])).content.decode()
    assert "It answers all requests" in page and ", every 2s" not in page

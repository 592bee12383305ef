"""The models: who is champion, who may change that, and asking the champion."""

import ast
import base64
import html
import io
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from apps.accounts.models import User
from apps.errors import Invalid
from apps.integrations import wiring
from apps.integrations.ports import NotLoaded, Unavailable
from apps.projects.models import Project
from apps.releases import inference
from apps.releases.services import model_promote, serving_confirm
from tests.conftest import NOON
from tests.rows import labeled, model

As = Callable[[User], Client]
HX = {"HX-Request": "true"}


def test_models_of_an_empty_project_say_where_they_come_from(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("releases:models", args=[project.pk]))
    assert page.status_code == 200 and "No model yet" in page.text


def test_a_confirm_says_who_is_touched_and_what_stays(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON)
    model_promote(version=model(project, base=first.run), reason="", by=lin, at=NOON)
    page = as_(lin).get(reverse("releases:models", args=[project.pk]))
    words = "Requests are answered by v1 once the predictor has loaded it. v2 keeps its evidence."
    assert words in page.text and "within 2 s" not in page.text
    assert 'name="expected_champion" value="2"' in page.text


class Knows:
    """A predictor that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def infer(self, *, model: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((model, request))
        outputs = [{"name": "label", "datatype": "BYTES", "data": ["ham"]}, {"name": "confidence", "data": [0.913]}]
        return {"outputs": outputs, "parameters": {"model_version": 7}}


class Loading:
    """Answers, but without this model."""

    def infer(self, *, model: str, request: dict[str, object]) -> dict[str, object]:
        raise NotLoaded(f"Model with name {model} does not exist.")


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
    assert request["parameters"] == {"allow_missing": True}
    assert request["inputs"] == [
        {"name": "age", "shape": [1], "datatype": "FP64", "data": [41.0]},
        {"name": "plan", "shape": [1], "datatype": "BYTES", "data": ["gold"]},
    ]


@pytest.mark.parametrize("entered", ["old", "nan", "inf", "-Infinity", "1e999", "9" * 401])
def test_what_is_no_number_where_a_number_belongs_is_named(entered: str) -> None:
    with pytest.raises(Invalid, match="“age” needs a number"):
        inference.request_for("tabular-classification", {"feature-age": entered}, None, {"age": 3})


DEEP: Any = 0
for _ in range(400):
    DEEP = [DEEP]


@pytest.mark.parametrize("value", [math.inf, math.nan, 10**401, "a\x00", "\ud800", {"\ud800": 1}, DEEP])
def test_what_no_json_can_carry_is_refused_before_it_is_sent(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    predictor = Knows()
    monkeypatch.setattr(wiring, "predictor", predictor)
    with pytest.raises(Invalid, match="The request "):
        inference.predict(model="spam", request={"inputs": [{"name": "age", "data": [value]}]})
    assert predictor.asked == []


def test_a_champion_that_is_not_loaded_yet_is_told_in_words_of_our_own(
    as_: As, lin: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "predictor", Loading())
    answer = as_(lin).post(reverse("releases:try", args=[project.pk]), {"text": "hello"}, headers=HX)
    assert answer.status_code == 503
    assert "The predictor is still loading the champion. Ask again in a few seconds." in answer.text


def test_a_promotion_says_how_long_the_last_one_took(as_: As, project: Project, lin: User) -> None:
    labeled(project)
    promotion = model_promote(version=model(project), reason="Fits.", by=lin, at=NOON)
    serving_confirm(promotion_id=promotion.pk, at=NOON + timedelta(seconds=5.1))
    model(project)
    page = as_(lin).get(reverse("releases:models", args=[project.pk])).content.decode()
    assert "The last change took 5.1 s." in " ".join(page.split())
    assert "within 2 s" not in page


def test_the_board_looks_again_by_itself_while_the_predictor_loads(as_: As, project: Project, lin: User) -> None:
    """The word that it answers may fall between the page and its socket."""
    labeled(project)
    promotion = model_promote(version=model(project), reason="Fits.", by=lin, at=NOON)
    page = as_(lin).get(reverse("releases:models", args=[project.pk])).content.decode()
    assert "The predictor is loading it" in page and ", every 2s" in page
    assert 'disabled aria-describedby="ask-hint"' in page and "The predictor is still loading v1." in page
    serving_confirm(promotion_id=promotion.pk, at=NOON + timedelta(seconds=5.1))
    board = as_(lin).get(reverse("releases:models", args=[project.pk]), headers=HX).content.decode()
    assert 'id="ask"' in board and 'hx-swap-oob="true"' in board and "ask-hint" not in board
    page = as_(lin).get(reverse("releases:models", args=[project.pk])).content.decode()
    assert "It answers all requests" in page and ", every 2s" not in page


def test_the_champion_can_be_called_from_a_program_with_the_project_filled_in(
    as_: As, lin: User, make_project: Callable[..., Project]
) -> None:
    make_project(name="A first one")
    project = make_project(name="Second")
    labeled(project)
    model_promote(version=model(project), reason="", by=lin, at=NOON)
    browser = as_(lin)
    address = f"{reverse('api-start')}?project={project.pk}"
    assert f'href="{address}#ask"' in browser.get(reverse("releases:models", args=[project.pk])).text
    page = html.unescape(browser.get(address).text)
    body = next(line for line in page.splitlines() if line.strip().startswith("json="))
    asked = ast.literal_eval(body.strip().removeprefix("json=").rstrip(","))
    assert asked["inputs"][0]["name"] == "text" and asked["inputs"][0]["data"][0].startswith("text ")
    assert f'/projects/{project.pk}/predict/",' in page and 'id="ask"' in page

"""The ML-backend protocol as Label Studio 1.23 speaks it: /health, /setup, /predict, /webhook below a secret address."""

import base64
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import reverse

from apps.audit.models import Event
from apps.integrations import wiring
from apps.integrations.ports import NotLoaded
from apps.label_studio.models import StudioBackend
from apps.label_studio.services import backend_close, backend_open
from tests.conftest import NOON
from tests.label_studio.test_config import PICTURE, TEXT

MAILS = TEXT.replace("Positive", "ham").replace("Negative", "spam").replace('alias="neg"', 'alias="junk"')


def ask(secret: str, what: str, body: Any = None) -> Any:
    """As Label Studio asks: JSON, no cookie, no key; forms that came without a token are not its way."""
    at = reverse(f"studio_backend:{what}", args=[secret])
    client = Client(enforce_csrf_checks=True)
    if body is None:
        return client.get(at)
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.post(at, raw, content_type="application/json")


def tasks(*texts: Any) -> dict[str, Any]:
    given = [{"id": 44_000 + n, "data": {"text": text}, "annotations": []} for n, text in enumerate(texts)]
    return {"tasks": given, "project": "10.1795405913", "label_config": MAILS, "params": {"context": None}}


def test_health_and_setup_answer_as_it_expects_and_keep_what_it_is(project, secret) -> None:
    assert ask(secret, "health").json()["status"] == "UP"
    sent = {"project": "10.1795405913", "schema": MAILS, "hostname": "http://ls.example.org", "access_token": "a" * 40}
    assert ask(secret, "setup", sent).json() == {"model_version": "v1"}
    kept = StudioBackend.objects.get(project=project)
    assert (kept.studio, kept.fault) == ("project 10 http://ls.example.org", "") and kept.seen_at is not None
    assert "a" * 40 not in orjson.dumps(StudioBackend.objects.values().get(), default=str).decode()
    assert ask(secret, "versions").json() == {"versions": ["v1"]} == ask(secret, "versions", {}).json()


def test_each_task_gets_one_prediction_in_its_place(secret, answers) -> None:
    found = ask(secret, "predict", tasks("win a car", "", None, "lunch?", 7)).json()
    assert found["model_version"] == "v1" and len(found["results"]) == 5
    first, *_, fourth, _ = found["results"]
    region = {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": ["junk"]}, "score": 0.9}
    assert first == {"model_version": "v1", "score": 0.9, "result": [region]}
    assert fourth["result"][0]["value"] == {"choices": ["ham"]} and fourth["score"] == pytest.approx(0.8)
    assert [each["result"] for each in found["results"]].count([]) == 3, "what is no text has no prediction"
    assert answers.asked[0]["inputs"][0]["data"] == ["win a car", "lunch?"]


def test_many_tasks_are_asked_about_in_parts(secret, answers) -> None:
    found = ask(secret, "predict", tasks(*["win"] * 150)).json()
    assert len(found["results"]) == 150 and [len(a["inputs"][0]["data"]) for a in answers.asked] == [64, 64, 22]


def test_a_label_that_its_configuration_lacks_is_no_prediction(secret) -> None:
    body = tasks("win") | {"label_config": MAILS.replace('value="spam"', 'value="else"')}
    assert ask(secret, "predict", body).json()["results"] == [{"model_version": "v1", "score": 0.0, "result": []}]


def test_pictures_stand_in_the_task_or_are_not_asked_about(image_project, mona, answers, png) -> None:
    secret = backend_open(project=image_project, by=mona, at=NOON)
    pictures = [
        f"data:image/png;base64,{base64.b64encode(png).decode()}",
        "/data/upload/1/a.png",
        "data:image/png;base64,??",
    ]
    body = {"tasks": [{"data": {"image": each}} for each in pictures], "label_config": PICTURE.replace("cat", "ham")}
    found = ask(secret, "predict", body).json()["results"]
    assert [len(each["result"]) for each in found] == [1, 0, 0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "no JSON"),
        (b"[]", "not an object"),
        ({"tasks": "x", "label_config": MAILS}, "a list of at most 5,000"),
        ({"tasks": [], "label_config": "<View/>"}, "has no control"),
        ({"tasks": [], "label_config": "<View>\0</View>", "project": "1\0.2"}, "no XML that can be read"),
    ],
)
def test_what_it_cannot_mean_is_refused_in_a_sentence(secret, body, words) -> None:
    answer = ask(secret, "predict", body)
    assert answer.status_code in (400, 422) and words in answer.json()["detail"]


def test_a_configuration_that_does_not_fit_is_told_on_the_page(project, secret, as_, mona) -> None:
    assert ask(secret, "setup", {"project": "3.1", "schema": PICTURE}).status_code == 400
    page = as_(mona).get(reverse("label_studio:settings", args=[project.pk])).content.decode()
    assert "does not fit" in page and "has no control &lt;Choices&gt; about &lt;Text&gt;" in page
    ask(secret, "setup", {"project": "3.1", "schema": MAILS})
    page = as_(mona).get(reverse("label_studio:settings", args=[project.pk])).content.decode()
    assert "does not fit" not in page and "project 3" in page


def test_a_predictor_that_is_away_is_told_to_label_studio(secret, monkeypatch) -> None:
    class Away:
        def infer(self, **_: Any) -> Any:
            raise NotLoaded("not yet")

    monkeypatch.setattr(wiring, "predictor", Away())
    answer = ask(secret, "predict", tasks("win"))
    assert answer.status_code == 503 and "still loading" in answer.json()["detail"]


def test_events_are_answered_at_once_and_change_nothing(secret) -> None:
    before = Event.objects.count()
    assert ask(secret, "webhook", {"action": "START_TRAINING", "project": {"id": 10}}).status_code == 200
    assert Event.objects.count() == before


def test_whoever_does_not_know_the_address_gets_nothing(project, secret, mona) -> None:
    assert ask("x" * 32, "health").status_code == 404
    again = backend_open(project=project, by=mona, at=NOON)
    assert ask(secret, "health").status_code == 404 and ask(again, "health").status_code == 200
    project.archived_at = NOON
    project.save()
    assert ask(again, "health").status_code == 404
    project.archived_at = None
    project.save()
    backend_close(project=project, by=mona, at=NOON)
    assert ask(again, "predict", tasks("win")).status_code == 404
    assert again not in orjson.dumps(list(StudioBackend.objects.values()), default=str).decode()
    told = list(Event.objects.filter(verb__startswith="label_studio.").order_by("pk").values_list("verb", flat=True))
    assert told == ["label_studio.opened", "label_studio.opened", "label_studio.closed"]


# The page


def test_the_address_is_shown_once_with_a_configuration_to_paste(project, as_, mona, answers) -> None:
    browser, at = as_(mona), reverse("label_studio:settings", args=[project.pk])
    assert "Make an address" in browser.get(at).content.decode()
    page = browser.post(reverse("label_studio:address", args=[project.pk])).content.decode()
    shown = page.split('data-copy="', 1)[1].split('"', 1)[0]
    assert shown.startswith("http://testserver/label-studio/")
    assert Client().get(f"{shown}/health".removeprefix("http://testserver")).status_code == 200
    later = browser.get(at).content.decode()
    assert shown not in later and "&lt;Choice value=&quot;ham&quot;" in later
    assert browser.post(reverse("label_studio:close", args=[project.pk]))["Location"] == at
    assert "Make an address" in browser.get(at).content.decode()


def test_a_project_that_it_has_no_control_for_says_so(table_project, as_, mona) -> None:
    page = as_(mona).get(reverse("label_studio:settings", args=[table_project.pk])).content.decode()
    assert "has no control for what this project asks" in page and "Make an address" not in page
    page = as_(mona).post(reverse("label_studio:address", args=[table_project.pk]))
    assert page.status_code == 200 and not StudioBackend.objects.exists()

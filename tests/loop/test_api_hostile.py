"""Careless and hostile requests: an answer in JSON with a sentence, never a fault of ours; and who may say what a row is."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from apps.audit.models import Event
from apps.datasets.models import DeadLetter, Example
from apps.labeling.models import Annotation, GoldItem, Label
from apps.projects.models import Project
from tests.api import at, post
from tests.datasets.test_intake import ingest

DEEP = '{"examples": ' + "[" * 100_000 + "]" * 100_000 + "}"
ODD = ("²", "5" * 5000, "\x00", "-1", "٣", "\ud800", "99999999999999999999", "1e3", " ")


@pytest.fixture
def api(lin):
    browser = Client(raise_request_exception=False)
    browser.force_login(lin)
    return browser


def test_a_body_nested_without_end_is_400(api, project):
    for address in ("examples/", "projects/", "predict/"):
        url = at(project, address) if address != "projects/" else reverse("api-projects")
        answer = api.post(url, DEEP, content_type="application/json")
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json") and answer.json()[
            "detail"
        ]


def test_a_sign_in_nested_without_end_is_no_fault_of_ours(db):
    answer = Client(raise_request_exception=False).post(
        reverse("accounts:sign_in_here"), DEEP, content_type="application/json"
    )
    assert answer.status_code < 500


LISTS = (
    "examples/",
    "dead-letters/",
    "ingestions/",
    "labels/",
    "runs/",
    "models/",
    "laps/",
    "predictions/",
    "alerts/",
    "events/",
)


@pytest.mark.parametrize("value", ODD)
def test_no_filter_of_a_list_is_a_fault_of_ours(api, project, value):
    names = (
        "text",
        "ingestion",
        "holdout",
        "labeled",
        "page",
        "page_size",
        "verb",
        "state",
        "against",
        "kind",
        "after",
    )
    for address in LISTS:
        for name in names:
            answer = api.get(at(project, address), {name: value.encode("utf-8", "replace").decode()})
            assert answer.status_code < 500, (address, name)


@pytest.mark.parametrize("page", ["datasets:data", "datasets:dead_letters", "projects:audit", "datasets:versions"])
def test_no_filter_of_a_page_is_a_fault_of_ours(as_, project, lin, page):
    browser = as_(lin)
    browser.raise_request_exception = False
    for value in ODD:
        asked = {n: value.encode("utf-8", "replace").decode() for n in ("text", "verb", "ingestion", "side", "page")}
        assert browser.get(reverse(page, args=[project.pk]), asked).status_code == 200


def test_half_a_character_in_a_name_is_answered_in_json(alma, project):
    from tests.api import api_of

    api = api_of(alma)
    api.raise_request_exception = False
    for address, body in (
        ("mapping/", {"roles": {"\ud800": "\ud800"}}),
        ("sweeps/", {"settings": {"\ud800": [1]}, "trials": 2}),
        ("predict/", {"id": "\ud800", "inputs": [{"name": "\ud800"}]}),
    ):
        method = api.put if address == "mapping/" else api.post
        answer = method(at(project, address), json.dumps(body), content_type="application/json")
        assert 400 <= answer.status_code < 500 and answer["Content-Type"] == "application/problem+json", address
    body = {"name": "\ud800", "task_type": "text-classification", "labels": [{"name": "a"}]}
    answer = api.post("/api/v1/projects/", json.dumps(body), content_type="application/json")
    assert answer.status_code in (400, 422) and answer.json()["detail"]


def test_a_number_that_is_none_is_no_filter(api, project):
    ingest(project, [{"id": "a"}])
    for value in ("²", "5" * 5000):
        assert api.get(at(project, "dead-letters/"), {"ingestion": value}).json()["results"][0]["row_number"] == 1


def test_a_key_that_grows_is_refused_in_words(alma):
    browser = Client()
    browser.force_login(alma)
    body = {
        "name": "Grows",
        "task_type": "text-classification",
        "labels": [{"name": "a", "hotkey": "ß"}, {"name": "b"}],
    }
    answer = browser.post(reverse("api-projects"), body, content_type="application/json")
    assert answer.status_code == 422 and "one letter from A to Z" in answer.json()["detail"]
    assert not Project.objects.filter(name="Grows").exists()


# Who may say what a row is


@pytest.mark.parametrize(
    "beside", [{"label": "ham"}, {"gold.value": "ham"}, {"answer.by": "ada", "answer.value": "ham"}]
)
def test_an_engineer_adds_examples_and_says_nothing_of_them(lin, project, beside):
    answer = post(
        lin, at(project, "examples/"), examples=[{"id": "a", "text": "x", **beside}, {"id": "b", "text": "y"}]
    )
    assert (answer.status_code, answer.json()["rows_taken"], answer.json()["rows_refused"]) == (201, 1, 1)
    assert "needs a role that labels, reviews or edits" in DeadLetter.objects.get().reason
    assert not Label.objects.exists() and not GoldItem.objects.exists() and not Annotation.objects.exists()


def test_a_manager_sends_labels_and_answers_in_others_names_and_the_trail_counts_them(mona, ada, project):
    rows = [
        {"id": "a", "text": "x", "label": "ham"},
        {"id": "b", "text": "y", "answer.by": "ada", "answer.value": "spam"},
        {"id": "c", "text": "z", "answer.by": "mona", "answer.value": "ham"},
    ]
    assert post(mona, at(project, "examples/"), examples=rows).json()["rows_taken"] == 3
    event = Event.objects.get(verb="examples.ingested")
    assert event.after == {"labels": 1, "answers": 2, "answers_of_others": 1}
    assert "1 answers in others’ names" in event.sentence
    assert Annotation.objects.get(annotator=ada).assignment.reason["strategy"] == "imported"


def test_gold_is_never_in_the_holdout_nor_over_a_label_of_people(mona, make_project):
    project = make_project(holdout_share=0.5)
    rows = [{"id": str(n), "text": f"t{n}"} for n in range(20)]
    ingest(project, rows)
    ingest(project, [{"id": str(n), "label": "ham"} for n in range(20)])
    Label.objects.filter(example__external_id__in=["0", "1", "2", "3", "4"]).update(source="consensus")
    post(mona, at(project, "examples/"), examples=[{"id": str(n), "gold.value": "spam"} for n in range(20)])
    held = set(Example.objects.filter(holdout=True).values_list("pk", flat=True))
    assert held and not GoldItem.objects.filter(pk__in=held).exists()
    assert set(Label.objects.filter(source="consensus").values_list("label__name", flat=True)) == {"ham"}
    assert GoldItem.objects.count() == Example.objects.filter(holdout=False).exclude(label__source="consensus").count()
    reasons = set(DeadLetter.objects.values_list("reason", flat=True))
    assert any("lies in the holdout" in reason for reason in reasons)


def test_gold_that_comes_with_a_new_example_of_the_holdout_is_refused_and_said(mona, make_project):
    project = make_project(holdout_share=0.5)
    rows = [{"id": str(n), "text": f"t{n}", "gold.value": "ham"} for n in range(20)]
    answer = post(mona, at(project, "examples/"), examples=rows).json()
    held = Example.objects.filter(holdout=True).count()
    assert (answer["rows_taken"], answer["rows_refused"]) == (20 - held, held) and held > 0
    assert GoldItem.objects.count() == 20 - held


def test_two_numbers_with_too_many_digits_are_refused_at_the_door(mona, make_project):
    project = make_project("tabular-classification")
    rows = [{"id": 1, "age": 2**70}, {"id": 2, "age": 10**400}, {"id": 3, "age": 4}]
    assert post(mona, at(project, "examples/"), examples=rows).json()["rows_refused"] == 2
    assert all("past 64 bits" in reason for reason in DeadLetter.objects.values_list("reason", flat=True))

"""What a person does with one example over the API: correct it, flag it, have somebody else asked."""

import uuid

import pytest

from apps.labeling.models import Annotation, FrontierItem, GoldItem, Label, LabelSource, Lane, Review, ReviewState
from apps.labeling.services.queue_settings import queue_settings_set
from tests.api import at, post
from tests.conftest import NOON
from tests.rows import labeled


@pytest.fixture
def example(project):
    """Labeled “ham”, outside the holdout."""
    return labeled(project, 3, held=0, only="ham")[0]


def _correct(who, project, example, **more):
    said = {"client_id": str(uuid.uuid4()), "label": "spam", "error_kind": "slip", "comment": "It sells."} | more
    return post(who, at(project, f"examples/{example.pk}/correct/"), **said)


def test_a_reviewer_decides_and_the_label_is_what_they_said(project, example, rosa):
    told = _correct(rosa, project, example)
    assert (told.status_code, told.json()["label"], told.json()["comment"]) == (201, "spam", "It sells.")
    label = Label.objects.get(example=example)
    assert (label.label.name, label.source) == ("spam", LabelSource.REVIEW)
    assert Review.objects.get(example=example).state == ReviewState.DECIDED


def test_the_same_correction_again_stores_nothing_twice(project, example, rosa):
    client_id = str(uuid.uuid4())
    first, second = (_correct(rosa, project, example, client_id=client_id) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201) and first.json() == second.json()
    assert Annotation.objects.filter(example=example).count() == 1


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"error_kind": ""}, 400),
        ({"error_kind": "laziness"}, 400),
        ({"label": "nope"}, 422),
        ({"label": ""}, 422),
        ({"label": "spam", "value": {"labels": ["ham"]}}, 422),
        ({"client_id": "seven"}, 400),
        ({"comment": "x" * 100_000}, 400),
    ],
)
def test_what_decides_nothing_is_refused_and_the_label_stays(project, example, rosa, wrong, status):
    told = _correct(rosa, project, example, **wrong)
    assert told.status_code == status, told.content
    assert Label.objects.get(example=example).label.name == "ham"
    assert not Annotation.objects.exists() and not Review.objects.exists()


def test_a_correction_is_never_a_skip_nor_a_flag(project, example, rosa):
    _correct(rosa, project, example, skip_reason="unclear", flagged=True)
    stored = Annotation.objects.get(example=example)
    assert (stored.skip_reason, stored.flagged, stored.label.name) == ("", False, "spam")


def test_gold_is_refused_in_words(project, example, rosa, mona):
    GoldItem.objects.create(project=project, example=example, label=project.labels.get(name="ham"), by=mona, at=NOON)
    told = _correct(rosa, project, example)
    assert told.status_code == 409 and "the example is gold" in told.json()["detail"]


def test_who_labels_flags_and_a_reviewer_is_asked(project, example, ada):
    told = post(ada, at(project, f"examples/{example.pk}/flag/"))
    assert (told.status_code, told.json()) == (200, {"example_id": example.pk, "waits_for": "review"})
    assert FrontierItem.objects.get(example=example).lane == Lane.REVIEW
    assert _correct(ada, project, example).status_code == 403


def test_somebody_else_is_asked_next_and_only_once(project, example, rosa, mona):
    address = at(project, f"examples/{example.pk}/ask-again/")
    told = post(rosa, address)
    assert (told.status_code, told.json()["lane"]) == (201, "relabel")
    assert FrontierItem.objects.get(example=example).rank == 0
    again = post(rosa, address)
    assert again.status_code == 409 and "It waits for an answer already." in again.json()["detail"]
    assert FrontierItem.objects.filter(example=example).count() == 1


def test_where_the_lane_is_closed_nobody_would_be_asked(project, example, rosa, mona):
    weights = {**project.queue.lane_weights, "relabel": 0}
    queue_settings_set(project=project, lane_weights=weights, by=mona, at=NOON)
    told = post(rosa, at(project, f"examples/{example.pk}/ask-again/"))
    assert told.status_code == 409 and "has weight 0" in told.json()["detail"]
    assert not FrontierItem.objects.filter(example=example).exists()


def test_examples_of_others_are_not_there(project, example, make_project, rosa):
    other = make_project()
    for act in ("correct", "flag", "ask-again"):
        said = {"client_id": str(uuid.uuid4()), "label": "spam", "error_kind": "slip"}
        assert post(rosa, at(other, f"examples/{example.pk}/{act}/"), **said).status_code == 404

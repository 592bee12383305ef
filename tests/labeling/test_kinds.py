"""Answers that are more than one label: stored in their canonical form, merged, reviewed, refused in words."""

import pytest

from apps.datasets import services as datasets
from apps.datasets.readers import Row
from apps.errors import Invalid
from apps.labeling.models import Annotation, FrontierItem, Label, Review
from apps.labeling.services.frontier import frontier_refill
from tests.conftest import NOON

PER, ORG = {"start": 0, "end": 3, "label": "PER"}, {"start": 14, "end": 18, "label": "ORG"}
CAT = {"x": 10, "y": 10, "width": 100, "height": 80, "label": "cat"}


@pytest.fixture
def spans(make_project):
    project = make_project("text-spans", labels=("PER", "ORG"), overlap=2)
    _add(project, {"text": "Ada worked at Acme 🙂"})
    return project


def _add(project, fields):
    ingestion = datasets.ingestion_open(project=project, source="api", by=None, at=NOON)
    datasets.examples_ingest(ingestion=ingestion, rows=[Row(1, {"id": "m1", **fields})], now=lambda: NOON)
    frontier_refill(project=project, at=NOON, seed=1)


def _say(say, held, value):
    return say(held, "", value=value)


def test_spans_that_agree_become_the_label_in_the_order_of_the_text(spans, lease, say, ada, grace):
    _say(say, lease(spans, ada)[0], {"spans": [ORG, PER]})
    _say(say, lease(spans, grace)[0], {"spans": [PER, ORG]})
    label = Label.objects.get()
    assert (label.label_id, label.value) == (None, {"spans": [PER, ORG]})
    assert not FrontierItem.objects.exists()


def test_spans_that_share_half_or_less_are_reviewed(spans, lease, say, ada, grace, rosa):
    from apps.labeling.services.assignments import QueueRequest, assignments_next

    _say(say, lease(spans, ada)[0], {"spans": [PER, ORG]})
    _say(say, lease(spans, grace)[0], {"spans": []})
    assert Review.objects.get().agreement == 0
    held = assignments_next(
        QueueRequest(project=spans, by=rosa, count=1, at=NOON, seed=1, may_review=True, only="review")
    )[0]
    say(held, "", value={"spans": [PER]}, error_kind="guideline-gap")
    assert Label.objects.get().value == {"spans": [PER]}


@pytest.mark.parametrize(
    "value, words",
    [
        ({"spans": [{"start": 0, "end": 99, "label": "PER"}]}, "does not lie in the text of 20 characters"),
        ({"spans": [{"start": 3, "end": 3, "label": "PER"}]}, "does not lie in the text"),
        ({"spans": [{"start": 3, "end": 4, "label": "PER"}]}, "holds only blanks"),
        ({"spans": [{"start": 0, "end": 3, "label": "LOC"}]}, "“LOC” is not in the project’s labels"),
        ({"spans": [{"start": 0.5, "end": 3, "label": "PER"}]}, "whole numbers"),
        ({"spans": [PER, {"start": 2, "end": 6, "label": "ORG"}]}, "overlap"),
        ({"spans": [{"start": 0, "end": 3}]}, "must be an object with"),
        ({"spans": "PER"}, "one list"),
        ({"boxes": []}, "one list, “spans”"),
        ({}, "one list"),
    ],
)
def test_malformed_spans_are_refused_in_words_and_the_lease_stays(spans, lease, say, ada, value, words):
    held = lease(spans, ada)[0]
    with pytest.raises(Invalid, match=words):
        _say(say, held, value)
    held.refresh_from_db()
    assert held.state == "leased" and not Annotation.objects.exists()


@pytest.mark.parametrize(
    "box, words",
    [
        ({**CAT, "x": -5}, "reaches outside the image of 200 by 100 pixels"),
        ({**CAT, "width": 500}, "reaches outside"),
        ({**CAT, "width": 0.2}, "at least one pixel"),
        ({**CAT, "height": float("nan")}, "numbers of pixels"),
        ({**CAT, "label": "dog"}, "“dog” is not in"),
        ({**CAT, "x": True}, "numbers of pixels"),
        ({"x": 1}, "must be an object with"),
    ],
)
def test_boxes_that_do_not_fit_are_refused_in_words(make_project, lease, say, ada, box, words):
    project = make_project("image-boxes", labels=("cat",))
    _add(project, {"image": _png(200, 100)})
    with pytest.raises(Invalid, match=words):
        _say(say, lease(project, ada)[0], {"boxes": [box]})
    assert not Annotation.objects.exists()


def test_boxes_of_two_people_become_their_mean(make_project, lease, say, ada, grace):
    project = make_project("image-boxes", labels=("cat",), overlap=2)
    _add(project, {"image": _png(200, 100)})
    _say(say, lease(project, ada)[0], {"boxes": [CAT]})
    _say(say, lease(project, grace)[0], {"boxes": [{**CAT, "x": 12}]})
    assert Label.objects.get().value["boxes"] == [{**CAT, "x": 11.0}]


def test_labels_of_a_multilabel_project_are_merged_by_majority(make_project, lease, say, ada, grace, rosa):
    project = make_project("text-multilabel", labels=("a", "b", "c"), overlap=3, review_at_most=0.2)
    _add(project, {"text": "all of it"})
    for person, labels in ((ada, ["b", "a"]), (grace, ["a"]), (rosa, ["a", "b", "c"])):
        _say(say, lease(project, person)[0], {"labels": labels})
    assert Label.objects.get().value == {"labels": ["a", "b"]}


def test_none_of_the_labels_is_an_answer(make_project, lease, say, ada):
    project = make_project("text-multilabel", labels=("a", "b"))
    _add(project, {"text": "nothing"})
    _say(say, lease(project, ada)[0], {"labels": []})
    assert Label.objects.get().value == {"labels": []}


def test_a_preference_is_one_of_two_sides(make_project, lease, say, ada):
    project = make_project("text-preference", labels=())
    _add(project, {"prompt": "Which is kinder?", "a": "Yes.", "b": "Gladly."})
    say(lease(project, ada)[0], "B")
    assert Label.objects.get().label.name == "B"


def test_of_two_texts_neither_may_be_better(make_project, lease, say, ada, grace):
    project = make_project("text-preference", labels=(), overlap=2)
    _add(project, {"prompt": "Which is kinder?", "a": "Yes.", "b": "Yes!"})
    _add(project, {"id": "m2", "prompt": "Which is true?", "a": "One is two.", "b": "Two is one."})
    for person in (ada, grace):
        for held in lease(project, person, 2):
            say(held, "Tie" if "kinder" in held.example.fields["prompt"] else "Both bad")
    assert sorted(Label.objects.values_list("label__name", flat=True)) == ["Both bad", "Tie"]


def _png(width, height):
    import base64
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (width, height)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()

"""The page of one example: what it tells whom, what may be done there, and that every list leads to it."""

import re
import uuid

import pytest
from django.urls import reverse

from apps.datasets.models import DeadLetter, Example, Ingestion
from apps.datasets.versions import version_write
from apps.errors import Forbidden, NotFound
from apps.labeling.lineage import labels_now
from apps.labeling.models import (
    Annotation,
    Assignment,
    FrontierItem,
    GoldItem,
    Label,
    LabelSource,
    Lane,
    Review,
    SetAside,
    Suspect,
)
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import QueueRequest, assignments_next
from apps.labeling.services.corrections import CannotCorrect, correction_take, example_ask_again, example_correct
from apps.labeling.services.frontier import frontier_refill
from apps.loop.examples.selectors import example_story
from apps.monitoring.models import Prediction
from apps.quality.services import gold_add
from tests import rows
from tests.conftest import NOON
from tests.datasets.test_intake import ingest, png


def lease(project, by, only=Lane.ACTIVE):
    """The next example of one lane for this person."""
    leased = assignments_next(QueueRequest(project=project, by=by, count=1, at=NOON, seed=1, only=only))
    return leased[0] if leased else None


def answer(assignment, by, label, **more):
    said = Answer(uuid.uuid4(), assignment.pk, assignment.token, label=label, **more)
    return annotation_submit(project_id=assignment.project_id, answer=said, by=by, at=NOON)


def _page(project, example):
    return reverse("examples:page", args=[project.pk, example.pk])


@pytest.fixture
def story(project):
    return lambda example, by: example_story(project, example.pk, by=by, at=NOON)


def _said(label="spam", **more):
    return Answer(uuid.uuid4(), 0, uuid.UUID(int=0), label=label, error_kind="slip", **more)


@pytest.fixture
def answered(project, ada):
    """An example that Ada labeled ham, outside the holdout."""
    ingest(project, [{"id": f"m{n}", "text": f"letter {n}"} for n in range(30)])
    frontier_refill(project=project, at=NOON, seed=1)
    assignment = lease(project, ada)
    answer(assignment, ada, label="ham", comment="looks fine")
    return Example.objects.get(pk=assignment.example_id)


def test_who_answered_what_on_which_guess_stands_on_the_page(as_, project, answered, rosa, story):
    Assignment.objects.filter(example=answered).update(suggestion="spam", suggestion_confidence=0.81, run_number=3)
    (line,) = story(answered, rosa).answers
    assert (line.words, line.guess, line.guessed_by, line.taken) == ("ham", "spam", "run 3", False)
    shown = as_(rosa).get(_page(project, answered)).content.decode()
    for words in (answered.fields["text"], "Ada", "looks fine", "81 %", "run 3"):
        assert words in shown


def test_ada_sees_her_own_answer_and_what_waits_but_nothing_of_the_others(as_, project, answered, ada, grace, story):
    waiting = Example.objects.exclude(pk=answered.pk).filter(holdout=False).first()
    own = story(answered, ada)
    assert [x.words for x in own.answers] == ["ham"] and own.label is None and own.checks is None and not own.nearest
    assert story(waiting, ada).answers == ()
    with pytest.raises(Forbidden):
        story(answered, grace)
    held = Example.objects.filter(pk=waiting.pk)
    held.update(holdout=True)
    with pytest.raises(Forbidden):
        story(waiting, ada)
    assert as_(ada).get(_page(project, waiting)).status_code == 403
    assert as_(ada).get(_page(project, answered)).status_code == 200


def test_nobody_who_labels_learns_from_the_page_that_an_example_is_gold(as_, project, answered, ada, mona, story):
    gold_add(project=project, example_id=answered.pk, value={"label": "spam"}, by=mona, at=NOON)
    Assignment.objects.filter(example=answered).update(lane=Lane.GOLD, planted=True, suggestion="ham")
    (line,) = story(answered, ada).answers
    assert (line.lane, line.planted) == ("Active", False)
    shown = as_(ada).get(_page(project, answered)).content.decode()
    assert "gold" not in shown.lower().split("<main", 1)[1] and "planted" not in shown


def test_an_example_of_another_project_is_not_found(make_project, answered, rosa):
    other = make_project()
    with pytest.raises(NotFound):
        example_story(other, answered.pk, by=rosa, at=NOON)


def test_the_label_says_what_it_rests_on_and_the_versions_that_hold_it(project, answered, rosa, story):
    assert story(answered, rosa).versions.numbers == ()
    first = version_write(project_id=project.pk, rows=labels_now(project), at=NOON)
    example_correct(project=project, example_id=answered.pk, answer=_said(), by=rosa, at=NOON)
    second = version_write(project_id=project.pk, rows=labels_now(project), at=NOON)
    Label.objects.filter(pk=answered.pk).delete()
    version_write(project_id=project.pk, rows=labels_now(project), at=NOON)
    found = story(answered, rosa).versions
    assert [(c.number, c.label) for c in found.changes] == [(1, "ham"), (2, "spam"), (3, "")]
    assert found.numbers == (first.number, second.number)


def test_a_correction_decides_alone_and_what_was_answered_stays_on_record(project, answered, rosa, story):
    example_correct(project=project, example_id=answered.pk, answer=_said(comment="it sells"), by=rosa, at=NOON)
    found = story(answered, rosa)
    assert (found.label.words, found.label.label.source) == ("spam", LabelSource.REVIEW)
    assert (found.label.votes, found.label.agreeing) == (2, 1)
    (review,) = found.checks.reviews
    assert (review.state, review.decided_by, review.error_kind, review.note) == ("decided", rosa, "slip", "it sells")
    assert not FrontierItem.objects.filter(example=answered).exists()


def test_the_same_correction_sent_twice_is_one_and_another_one_replaces_it(project, answered, rosa):
    said = _said()
    for _ in range(2):
        example_correct(project=project, example_id=answered.pk, answer=said, by=rosa, at=NOON)
    assert Annotation.objects.filter(example=answered, annotator=rosa).count() == 1
    example_correct(project=project, example_id=answered.pk, answer=_said("ham"), by=rosa, at=NOON)
    own = Annotation.objects.filter(example=answered, annotator=rosa).order_by("pk")
    assert [a.withdrawn_at is None for a in own] == [False, True]
    assert Label.objects.get(pk=answered.pk).label.name == "ham"


def test_gold_and_what_somebody_else_reviews_are_not_corrected_and_nothing_changes(project, answered, rosa, mona):
    example_correct_twice = _said()
    correction_take(project=project, example_id=answered.pk, by=mona, at=NOON)
    with pytest.raises(CannotCorrect, match="Somebody else reviews"):
        example_correct(project=project, example_id=answered.pk, answer=example_correct_twice, by=rosa, at=NOON)
    assert Label.objects.get(pk=answered.pk).label.name == "ham"
    other = Example.objects.filter(holdout=False).exclude(pk=answered.pk).first()
    gold_add(project=project, example_id=other.pk, value={"label": "ham"}, by=mona, at=NOON)
    with pytest.raises(CannotCorrect, match="gold"):
        example_correct(project=project, example_id=other.pk, answer=_said(), by=rosa, at=NOON)
    with pytest.raises(CannotCorrect, match="gold"):
        example_ask_again(project=project, example_id=other.pk, by=rosa, at=NOON)
    assert GoldItem.objects.get().label.name == "ham"


def test_a_corrected_example_of_the_holdout_stays_there(make_project, rosa):
    project = make_project(holdout_share=0.5)
    ingest(project, [{"id": f"h{n}", "text": f"held {n}"} for n in range(60)])
    held = Example.objects.filter(holdout=True).first()
    example_correct(project=project, example_id=held.pk, answer=_said(), by=rosa, at=NOON)
    assert Label.objects.get(pk=held.pk).holdout


def test_asking_again_goes_to_somebody_else_and_their_doubt_opens_a_review(project, answered, ada, grace, rosa):
    example_ask_again(project=project, example_id=answered.pk, by=rosa, at=NOON)
    with pytest.raises(CannotCorrect, match="waits"):
        example_ask_again(project=project, example_id=answered.pk, by=rosa, at=NOON)
    assert lease(project, ada, only=Lane.RELABEL) is None
    assignment = lease(project, grace, only=Lane.RELABEL)
    assert (assignment.example_id, assignment.reason) == (answered.pk, {"strategy": "asked"})
    answer(assignment, grace, label="spam")
    assert Review.objects.get(example=answered).state == "open"


def test_what_was_set_aside_is_asked_again(project, answered, rosa):
    Label.objects.all().delete()
    SetAside.objects.create(project=project, example=answered, reason="unclear", at=NOON)
    example_ask_again(project=project, example_id=answered.pk, by=rosa, at=NOON)
    assert not SetAside.objects.exists() and FrontierItem.objects.get(example=answered).lane == Lane.RELABEL


def test_the_form_corrects_and_says_what_is_missing(as_, project, answered, rosa, ada):
    address = reverse("examples:correct", args=[project.pk, answered.pk])
    given = {"client_id": uuid.uuid4(), "answer": "spam"}
    refused = as_(rosa).post(address, given)
    assert refused.status_code == 422 and Label.objects.get(pk=answered.pk).label.name == "ham"
    assert as_(rosa).post(address, given | {"error_kind": "slip"})["Location"] == _page(project, answered)
    assert Label.objects.get(pk=answered.pk).label.name == "spam"
    assert as_(ada).post(address, given).status_code == 403


def test_what_a_model_answered_under_the_id_is_for_those_who_see_models(as_, project, answered, mona, rosa):
    Prediction.objects.create(
        project=project,
        inference_id=answered.external_id,
        at=NOON,
        model_number=7,
        label="spam",
        confidence=0.61,
        latency_ms=3,
    )
    assert "Model v7" in as_(mona).get(_page(project, answered)).content.decode()
    assert "Model v7" not in as_(rosa).get(_page(project, answered)).content.decode()


def test_what_a_report_says_of_a_holdout_example_stands_on_its_page(project, mona, story):
    rows.labeled(project)
    rows.model(project)  # its report holds the examples 0 to 99, all of them ham
    common = {"project": project, "fields": {"text": "x"}, "collected_at": NOON, "ingested_at": NOON}
    Example.objects.filter(pk__in=[1, 2]).delete()
    held = Example.objects.create(pk=1, external_id="held", holdout=True, **common)
    free = Example.objects.create(pk=2, external_id="free", holdout=False, **common)
    assert [(x.truth, x.predicted, x.right) for x in story(held, mona).sayings.judged] == [("ham", "spam", False)]
    assert story(free, mona).sayings.judged == ()


def test_an_image_and_a_table_row_are_shown_whole(as_, make_project, rosa):
    pictures = make_project("image-classification", name="Pictures")
    ingest(pictures, [{"id": "p1", "image": png()}])
    (picture,) = Example.objects.filter(project=pictures)
    assert (
        reverse("datasets:image", args=[pictures.pk, picture.pk])
        in as_(rosa).get(_page(pictures, picture)).content.decode()
    )
    table = make_project("tabular-classification", name="Table")
    ingest(table, [{"id": "r1", "age": 41, "town": "Oslo"}])
    (row,) = Example.objects.filter(project=table)
    shown = as_(rosa).get(_page(table, row)).content.decode()
    assert "Oslo" in shown and "<dt>age</dt>" in shown


LISTS = {
    "datasets:data": "",
    "bulk:search": "?q=letter",
    "bulk:bulk": "?like={like}",
    "quality:reviews": "",
    "quality:doubts": "",
    "quality:gold": "",
    "quality:person": "",
    "datasets:version": "",
    "datasets:dead_letters": "",
    "evaluation:learning": "",
}


@pytest.fixture
def listed(project, answered, ada, grace, rosa, mona):
    """One row in every list that names examples."""
    Annotation.objects.filter(annotator=ada).update(active_ms=900, flagged=True)
    ham, spam = project.labels.all()
    doubted = {"given": ham, "expected": spam, "quality": 0.1, "run_number": 1, "found_at": NOON}
    Suspect.objects.create(project=project, example=answered, **doubted)
    other = Example.objects.filter(holdout=False).exclude(pk=answered.pk).first()
    gold_add(project=project, example_id=other.pk, value={"label": "ham"}, by=mona, at=NOON)
    Review.objects.create(project=project, example=answered, why="flag", opened_at=NOON)
    version_write(project_id=project.pk, rows=labels_now(project), at=NOON)
    letter = {"row_number": 1, "external_id": answered.external_id, "reason": "No.", "raw": "{}", "at": NOON}
    DeadLetter.objects.create(project=project, ingestion=Ingestion.objects.first(), **letter)
    twin = Example.objects.filter(label=None, holdout=False).first()
    Example.objects.filter(pk__in=[twin.pk, answered.pk]).update(content_digest="same")
    more = {"source": LabelSource.CONSENSUS, "holdout": False, "shown_at": NOON, "resolved_at": NOON}
    Label.objects.create(project=project, example=twin, label=spam, **more)
    return project


@pytest.mark.parametrize("name", LISTS)
def test_every_row_that_names_an_example_leads_to_its_page(as_, listed, answered, ada, alma, name):
    more = {"quality:person": [ada.pk], "datasets:version": [1]}.get(name, [])
    address = reverse(name, args=[listed.pk, *more]) + LISTS[name].format(like=answered.pk)
    shown = as_(alma).get(address).content.decode()
    leads = re.compile(rf'href="/projects/{listed.pk}/data/\d+/"')
    tables = re.findall(r"<tbody>(.*?)</tbody>", shown.split("<main", 1)[1], re.S)
    about = [
        row
        for table in tables
        for row in re.findall(r"<tr.*?</tr>", table, re.S)
        if "letter" in row or answered.external_id in row
    ]
    assert about or name == "bulk:bulk"
    assert [row for row in about if not leads.search(row)] == []
    assert leads.search(shown)

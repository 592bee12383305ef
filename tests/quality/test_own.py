"""What comes back to whoever labels: the reviewer's word, gold's answer, and a home that is their own."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.labeling.models import Annotation, Assignment, AssignmentState, GoldItem, Label, LabelSource, Lane, Review
from apps.quality.own import own_day, returned_to
from tests import rows
from tests.conftest import NOON

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def said(project, ada):
    """One answer of Ada's to a labeled example; `more` goes to the answer, `lane` to its assignment."""
    examples = iter(rows.labeled(project, 12, held=0))

    def make(label="ham", *, by=ada, lane=Lane.ACTIVE, **more):
        example = next(examples)
        assignment = Assignment.objects.create(
            project=project,
            example=example,
            slot=0,
            holder=by,
            state=AssignmentState.ANSWERED,
            token="00000000-0000-4000-8000-000000000000",
            leased_at=NOON,
            leased_until=NOON,
            lane=lane,
            rank=1,
        )
        return Annotation.objects.create(
            project=project,
            example=example,
            assignment=assignment,
            annotator=by,
            client_id=f"00000000-0000-4000-8000-{example.pk:012d}",
            label=project.labels.get(name=label),
            shown_at=NOON,
            answered_at=NOON,
            active_ms=3000,
            **more,
        )

    return make


def decide(answer, rosa, label, *, kind="slip", note=""):
    Label.objects.filter(pk=answer.example_id).update(
        label=answer.project.labels.get(name=label), source=LabelSource.REVIEW, resolved_at=LATER
    )
    return Review.objects.create(
        project=answer.project,
        example=answer.example,
        state="decided",
        why="disagreement",
        opened_at=NOON,
        decided_by=rosa,
        decided_at=LATER,
        error_kind=kind,
        note=note,
    )


def told(project, ada):
    return [(x.kind, x.answered, x.now, x.finding, x.note, x.stands) for x in returned_to(project, ada)]


def test_a_reviewers_word_comes_back_with_the_kind_of_error_and_the_comment(project, said, ada, rosa):
    decide(said("ham"), rosa, "spam", note="It asks for money.")
    assert told(project, ada) == [
        ("review", "ham", "spam", "Slip: somebody pressed the wrong key", "It asks for money.", False)
    ]


def test_a_confirmed_answer_comes_back_as_confirmed(project, said, ada, rosa):
    decide(said("spam"), rosa, "spam", kind="ambiguous")
    assert [x[5] for x in told(project, ada)] == [True]


def test_a_label_that_others_agreed_on_otherwise_comes_back_too(project, said, ada):
    answer = said("ham")
    Label.objects.filter(pk=answer.example_id).update(label=project.labels.get(name="spam"))
    same = said("spam")
    Label.objects.filter(pk=same.example_id).update(label=same.label)
    assert [x[:3] for x in told(project, ada)] == [("others", "ham", "spam")]


def test_a_wrong_gold_answer_comes_back_only_where_the_project_tells_it(project, said, ada):
    answer = said("ham", lane=Lane.GOLD, right=False)
    GoldItem.objects.create(
        project=project,
        example=answer.example,
        label=project.labels.get(name="spam"),
        explanation="An advertisement.",
        at=NOON,
    )
    assert told(project, ada) == [("gold", "ham", "spam", "", "An advertisement.", False)]
    project.queue.gold_feedback = False
    project.queue.save()
    assert told(project, ada) == []


def test_nobody_is_told_of_what_others_answered_or_of_withdrawn_answers(project, said, ada, grace, rosa):
    decide(said("ham", by=grace), rosa, "spam")
    decide(said("ham", withdrawn_at=LATER), rosa, "spam")
    assert told(project, ada) == []


def test_an_annotators_home_is_their_own(project, said, ada, rosa, mona):
    decide(said("ham"), rosa, "spam", note="It asks for money.")
    client = Client()
    client.force_login(ada)
    page = client.get(reverse("loop:overview", args=[project.pk])).content.decode()
    for words in ("You today", "Waiting for you", "Start labeling", "Corrected", "Slip", "It asks for money."):
        assert words in page, words
    assert "Your role does not show this stage." not in page
    assert own_day(project, ada, NOON).progress.today == 1
    client.force_login(mona)
    assert "Your role does not show this stage." not in client.get(f"/projects/{project.pk}/").content.decode()


def test_planted_suggestions_are_told_to_reviewers_and_not_to_who_was_tried(project, said, ada, rosa):
    said("ham")
    client = Client()
    client.force_login(ada)
    assert "Planted" not in client.get(reverse("quality:mine", args=[project.pk])).content.decode()
    client.force_login(rosa)
    assert "Planted" in client.get(reverse("quality:person", args=[project.pk, ada.pk])).content.decode()


def test_signing_in_leads_to_the_one_project_and_to_the_list_where_there_is_a_choice(make_project, ada, alma):
    project = make_project()
    client = Client()
    signing = {"username": "ada", "password": "correct horse"}
    assert client.post("/sign-in/", signing)["Location"] == "/"
    assert client.get("/")["Location"] == f"/projects/{project.pk}/"
    make_project()
    assert client.get("/")["Location"] == "/projects/"
    client.force_login(alma)  # she makes projects
    assert client.get("/")["Location"] == "/projects/"
    assert Client().get("/")["Location"] == "/projects/"


def test_each_leads_to_the_page_of_its_example(said, rosa, ada, as_):
    answer = said("ham")
    decide(answer, rosa, "spam")
    page = as_(ada).get(reverse("quality:mine", args=[answer.project_id])).content.decode()
    address = reverse("examples:page", args=[answer.project_id, answer.example_id])
    assert f'href="{address}"' in page and as_(ada).get(address).status_code == 200

"""An answer and the next example in one transaction: what hinders the second never costs the first."""

import uuid
from functools import partial

import pytest
from django.db import IntegrityError

from apps.labeling.models import Annotation, Assignment, Label
from apps.labeling.services import queue
from apps.labeling.services.annotations import Answer
from apps.labeling.services.assignments import QueueRequest
from apps.labeling.services.queue import answer_then_next
from tests.conftest import NOON
from tests.labeling.conftest import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def _answer(held, label="ham"):
    return Answer(client_id=uuid.uuid4(), assignment_id=held.pk, token=held.token, label=label)


def test_two_tabs_of_one_person_keep_both_answers_and_are_given_different_examples(
    make_project, add_examples, lease, ada
):
    project = make_project(overlap=2)
    add_examples(project, 90)
    for seed in range(20):
        first, second = lease(project, ada, 2)
        given = []

        def tab(held, seed=seed, given=given):
            given.extend(answer_then_next(_answer(held), QueueRequest(project, ada, 1, NOON, seed))[1])

        errors = at_once(partial(tab, first), partial(tab, second))
        assert errors == []
        assert len({a.example_id for a in given}) == len(given) == 2
        for held in given:
            answer_then_next(_answer(held), QueueRequest(project, ada, 0, NOON, seed))
    answered = Annotation.objects.filter(annotator=ada)
    assert answered.count() == 80 == answered.values("example").distinct().count()


def test_a_collision_in_the_lease_does_not_cost_the_answer(project, add_examples, lease, ada, monkeypatch):
    add_examples(project, 3)
    (held,) = lease(project, ada)

    def collides(asked):
        raise IntegrityError

    monkeypatch.setattr(queue, "assignment_at_once", collides)
    saved, leased = answer_then_next(_answer(held), QueueRequest(project, ada, 1, NOON, 1))
    assert Label.objects.get(pk=held.example_id).label.name == "ham"
    assert (saved.annotation.assignment_id, len(leased)) == (held.pk, 1)


def test_an_answer_sent_again_is_stored_once_and_the_next_example_comes_all_the_same(project, add_examples, lease, ada):
    add_examples(project, 3)
    (held,) = lease(project, ada)
    answer, asked = _answer(held), QueueRequest(project, ada, 1, NOON, 1)
    first, _ = answer_then_next(answer, asked)
    again, leased = answer_then_next(answer, asked)
    assert (again.annotation.pk, len(leased)) == (first.annotation.pk, 1)
    assert Assignment.objects.get(pk=held.pk).state == "answered"

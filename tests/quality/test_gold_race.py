"""Gold and answers at the same moment: neither waits for ever, and the known answer is what stays."""

import uuid

import pytest

from apps.datasets.models import Example
from apps.labeling.models import Annotation, GoldItem, Label, LabelSource
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import QueueRequest, assignments_next
from apps.quality.services import gold_add, gold_remove
from tests.conftest import NOON
from tests.labeling.conftest import add_examples, at_once

__all__ = ["add_examples"]
ROUNDS = 10


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_gold_on_the_same_example_both_arrive(project, add_examples, ada, mona):
    add_examples(project, 3 * ROUNDS)
    project.queue.lane_weights = {"active": 1}
    project.queue.save()
    for round_number in range(ROUNDS):
        (held,) = assignments_next(QueueRequest(project=project, by=ada, count=1, at=NOON, seed=round_number))
        answer = Answer(client_id=uuid.uuid4(), assignment_id=held.pk, token=held.token, label="spam")
        errors = at_once(
            lambda answer=answer: annotation_submit(project_id=project.pk, answer=answer, by=ada, at=NOON),
            lambda held=held: gold_add(
                project=project, example_id=held.example_id, value={"label": "ham"}, by=mona, at=NOON
            ),
        )
        assert errors == []
        label = Label.objects.get(pk=held.example_id)
        assert (label.source, label.label.name) == (LabelSource.GOLD, "ham")
    assert GoldItem.objects.count() == Annotation.objects.count() == ROUNDS


@pytest.mark.django_db(transaction=True)
def test_two_managers_take_the_same_example_out_once(project, add_examples, mona, alma):
    add_examples(project, 20)
    about = Example.objects.filter(project=project, holdout=False).first()
    gold_add(project=project, example_id=about.pk, value={"label": "ham"}, by=mona, at=NOON)
    errors = at_once(
        *(
            lambda by=by: gold_remove(project=project, example_id=about.pk, keep_label=True, by=by, at=NOON)
            for by in (mona, alma)
        )
    )
    assert [type(e).__name__ for e in errors] == ["CannotBeGold"]
    assert Label.objects.get(pk=about.pk).source == LabelSource.REVIEW

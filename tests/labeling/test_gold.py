"""Gold: asked of everybody once, judged at once, never a vote; and the pause after too many wrong answers."""

import random

import pytest

from apps.audit.models import Event
from apps.datasets.models import Example
from apps.labeling.desk.presenters import assignment_json
from apps.labeling.desk.selectors import why_empty
from apps.labeling.models import Annotation, Assignment, FrontierItem, GoldItem, Label, LabelSource, Pause
from apps.labeling.services.assignments import QueueRequest, assignments_next
from apps.labeling.services.gold import gold_draw
from tests.conftest import NOON
from tests.labeling.conftest import LATER

ONLY_GOLD = {"active": 0, "random": 0, "holdout": 0, "gold": 1}


@pytest.fixture
def gold(make_project, add_examples):
    """A project in which only gold is asked: four examples that are ham."""
    project = make_project(lane_weights=ONLY_GOLD)
    project.queue.planted_share = 0.0
    project.queue.save()
    add_examples(project, 4)
    FrontierItem.objects.all().delete()
    ham = project.labels.get(name="ham")
    for example in Example.objects.filter(project=project):
        GoldItem.objects.create(example=example, project=project, label=ham, explanation="It says so.", at=NOON)
        Label.objects.create(
            example=example,
            project=project,
            label=ham,
            source=LabelSource.GOLD,
            holdout=False,
            shown_at=NOON,
            resolved_at=NOON,
        )
    return project


def test_everybody_is_asked_each_gold_example_once_and_nobody_twice(gold, lease, say, ada, grace):
    mine, theirs = lease(gold, ada, 4), lease(gold, grace, 4)
    assert {a.example_id for a in mine} == {a.example_id for a in theirs}
    assert len({(a.example_id, a.slot) for a in [*mine, *theirs]}) == 8
    for held in mine:
        say(held)
    assert lease(gold, ada, 4) == []


def test_a_gold_answer_is_judged_and_changes_no_label(gold, lease, say, ada):
    right, wrong = (say(held, word) for held, word in zip(lease(gold, ada, 2), ("ham", "spam"), strict=True))
    assert (right.right, wrong.right) == (True, False)
    assert set(Label.objects.values_list("label__name", "source")) == {("ham", "gold")}


def test_a_skipped_gold_answer_is_neither_right_nor_wrong(gold, lease, say, ada):
    assert say(lease(gold, ada)[0], skip="unclear").right is None


def test_three_wrong_ones_in_a_row_pause_and_somebody_else_goes_on(gold, lease, say, ada, grace):
    for held in lease(gold, ada, 3):
        say(held, "spam")
    assert Pause.objects.get().person == ada
    assert lease(gold, ada) == []
    empty = why_empty(gold, ada, NOON)
    assert (empty.title, empty.sentence) == ("You are paused", "The last 3 gold answers were wrong.")
    assert Event.objects.filter(verb="annotator.paused").count() == 1
    assert len(lease(gold, grace)) == 1


def test_one_right_answer_between_starts_the_count_again(gold, lease, say, ada):
    for held, word in zip(lease(gold, ada, 4), ("spam", "spam", "ham", "spam"), strict=True):
        say(held, word)
    assert not Pause.objects.exists()


def test_after_the_pause_is_lifted_old_failures_count_no_more(gold, lease, say, ada, mona):
    held = lease(gold, ada, 4)
    for each in held[:3]:
        say(each, "spam")
    Pause.objects.update(lifted_at=LATER, lifted_by=mona)
    say(held[3], "spam", at=LATER)
    assert Pause.objects.filter(lifted_at=None).count() == 0


def test_a_project_that_never_pauses_does_not(gold, lease, say, ada):
    gold.queue.gold_failures = 0
    gold.queue.save()
    for held in lease(gold, ada, 4):
        say(held, "spam")
    assert not Pause.objects.exists()


def test_a_planted_suggestion_is_wrong_and_nothing_tells_gold_apart(gold, ada):
    gold.queue.planted_share = 1.0
    drawn = gold_draw(project=gold, by=ada, count=4, at=NOON, chance=random.Random(1))
    assert [d.planted for d in drawn] == ["spam"] * 4
    assert len({d.confidence for d in drawn}) > 1, "a constant confidence would give it away"
    held = assignments_next(QueueRequest(project=gold, by=ada, count=1, at=NOON, seed=1))[0]
    shown = assignment_json(held, label_names=["ham", "spam"])
    assert (shown["lane"], shown["suggestion"]["label"]) == ("active", "spam")
    assert "gold" not in str({**shown, "id": 0, "token": ""}).lower()


def test_a_gold_answer_can_be_undone_and_given_again(gold, lease, say, ada):
    from apps.labeling.services.undo import annotation_withdraw

    wrong = say(lease(gold, ada)[0], "spam")
    again = annotation_withdraw(project_id=gold.pk, client_id=wrong.client_id, by=ada, at=NOON)
    assert not FrontierItem.objects.exists()
    assert say(again, "ham", token=again.token).right
    assert Annotation.objects.filter(withdrawn_at=None).count() == 1
    assert Assignment.objects.get(pk=again.pk).state == "answered"

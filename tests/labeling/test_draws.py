"""Lanes of chance: every open example as likely as the other, in a walk over all and in looking up random ids."""

import uuid
from collections import Counter

import pytest

from apps.datasets.models import Example
from apps.labeling.models import FrontierItem, ImportedPrediction, SetAside
from apps.labeling.services import draws, frontier, queue
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import QueueRequest
from apps.labeling.services.draws import draw
from apps.labeling.services.frontier import Origin, Scored, frontier_refill, frontier_swap
from apps.labeling.services.queue import queue_next
from tests.conftest import NOON


@pytest.fixture
def pool(make_project, add_examples):
    """200 open examples outside the holdout and some in it; nothing waits."""
    project = make_project(holdout_share=0.1)
    add_examples(project, 240)
    FrontierItem.objects.all().delete()
    return project


@pytest.mark.parametrize("walk_up_to", [50_000, 0])
def test_a_draw_takes_open_examples_of_its_side_each_once(pool, monkeypatch, walk_up_to):
    monkeypatch.setattr(draws, "WALK_UP_TO", walk_up_to)
    for holdout in (False, True):
        side = set(Example.objects.filter(project=pool, holdout=holdout).values_list("pk", flat=True))
        drawn = draw(pool, holdout=holdout, displaces="", wanted=10, seed=3)
        assert len(set(drawn.ids)) == len(drawn.ids) == 10
        assert set(drawn.ids) <= side
        assert 0 < drawn.share <= 1
        if not holdout:  # a dozen examples are too few to estimate their number from hits
            assert drawn.share == pytest.approx(10 / len(side), rel=0.8)
    assert draw(pool, holdout=False, displaces="", wanted=10**4, seed=3).share == 1.0


@pytest.mark.parametrize("walk_up_to", [50_000, 0])
def test_over_many_seeds_every_example_is_drawn_about_as_often(pool, monkeypatch, walk_up_to):
    monkeypatch.setattr(draws, "WALK_UP_TO", walk_up_to)
    times = Counter(
        pk for seed in range(200) for pk in draw(pool, holdout=False, displaces="", wanted=20, seed=seed).ids
    )
    open_ids = Example.objects.filter(project=pool, holdout=False).count()
    expected = 200 * 20 / open_ids
    assert len(times) == open_ids, "some example is never drawn"
    assert max(times.values()) < expected + 6 * expected**0.5
    assert min(times.values()) > expected - 6 * expected**0.5


def test_where_nearly_all_are_labeled_the_walk_finds_the_rest(pool, monkeypatch):
    monkeypatch.setattr(draws, "WALK_UP_TO", 0)
    monkeypatch.setattr(draws, "ROUNDS", 1)
    *done, a, b = Example.objects.filter(project=pool, holdout=False)
    SetAside.objects.bulk_create(SetAside(project=pool, example=e, reason="broken", at=NOON) for e in done)
    drawn = draw(pool, holdout=False, displaces="", wanted=20, seed=1)
    assert (set(drawn.ids), drawn.share) == ({a.pk, b.pk}, 1.0)


def test_an_empty_lane_of_chance_is_filled_before_its_share_goes_to_others(pool, ada):
    assert queue_next(QueueRequest(project=pool, by=ada, count=2, at=NOON, seed=1))
    waiting = FrontierItem.objects.filter(project=pool).values_list("lane", flat=True)
    assert {"active", "random", "holdout"} <= set(waiting)


def test_a_lane_that_stays_empty_is_not_looked_for_at_every_answer(project, ada, monkeypatch):
    asked = []
    monkeypatch.setattr(queue, "frontier_refill", lambda **given: asked.append(given["lanes"]) or 0)
    for _ in range(5):
        assert queue_next(QueueRequest(project=project, by=ada, count=1, at=NOON, seed=1)) == []
    assert len(asked) == 1


def test_each_lane_has_an_overlap_of_its_own(make_project, add_examples):
    project = make_project(holdout_share=0.5, lane_overlap={"holdout": 3})
    add_examples(project, 40)
    frontier_refill(project=project, at=NOON, seed=2)
    slots = Counter(FrontierItem.objects.filter(project=project).values_list("lane", "example"))
    assert {n for (lane, _), n in slots.items() if lane == "holdout"} == {3}
    assert {n for (lane, _), n in slots.items() if lane != "holdout"} == {1}


def test_what_was_answered_since_it_was_drawn_is_not_asked_again(project, add_examples, ada, monkeypatch):
    add_examples(project, 1)
    held = queue_next(QueueRequest(project=project, by=ada, count=1, at=NOON, seed=1))[0]
    answer = Answer(client_id=uuid.uuid4(), assignment_id=held.pk, token=held.token, label="ham")
    annotation_submit(project_id=project.pk, answer=answer, by=ada, at=NOON)
    monkeypatch.setattr(frontier, "draw", lambda *_, **__: draws.Drawn([held.example_id], 1.0))
    frontier_refill(project=project, at=NOON, seed=1)
    assert not FrontierItem.objects.exists()


def test_imported_guesses_are_suggested_in_the_active_lane_and_never_where_people_measure(
    make_project, add_examples, ada
):
    project = make_project(holdout_share=0.5)
    project.queue.blind_share = 0.0
    project.queue.save()
    add_examples(project, 100)
    ImportedPrediction.objects.bulk_create(
        ImportedPrediction(
            project=project, example=e, model_version="theirs", label=project.labels.first(), confidence=0.8, at=NOON
        )
        for e in Example.objects.filter(project=project)
    )

    def taken(lane):
        return queue_next(QueueRequest(project=project, by=ada, count=3, at=NOON, seed=1, only=lane))

    active, measured = taken("active"), [*taken("holdout"), *taken("random")]
    assert {(a.suggestion, a.suggestion_source) for a in active} == {("ham", "theirs")}
    assert {(a.suggestion, a.suggestion_source) for a in measured} == {("", "")}


def test_an_answer_given_while_a_new_order_comes_is_not_asked_for_twice(project, add_examples, ada, monkeypatch):
    add_examples(project, 1)
    held = queue_next(QueueRequest(project=project, by=ada, count=1, at=NOON, seed=1))[0]
    read = frontier._answered_slots

    def then_answered(*given):
        found = read(*given)
        answer = Answer(client_id=uuid.uuid4(), assignment_id=held.pk, token=held.token, label="ham")
        annotation_submit(project_id=project.pk, answer=answer, by=ada, at=NOON)
        return found

    monkeypatch.setattr(frontier, "_answered_slots", then_answered)
    picks = [Scored(held.example_id, {"strategy": "margin"})]
    assert frontier_swap(project=project, picks=picks, origin=Origin("margin", 1, run_number=1), at=NOON) == 0
    assert not FrontierItem.objects.exists()

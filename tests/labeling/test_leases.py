"""Who gets which example, for how long, and that two people never get the same slot."""

import uuid
from datetime import timedelta

import pytest

from apps.labeling.models import Assignment, AssignmentState, FrontierItem, Label
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import (
    LEASE,
    MOST_HELD,
    QueueRequest,
    assignments_next,
    assignments_release,
    assignments_renew,
    lane_order,
)
from tests.conftest import NOON
from tests.labeling.conftest import LATER, at_once


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_never_hold_the_same_slot(make_project, add_examples, ada, grace):
    for round_number in range(20):
        project = make_project(name=f"Race {round_number}")
        add_examples(project, 3)
        got = {}

        def take(person, project=project, got=got):
            got[person.username] = assignments_next(QueueRequest(project=project, by=person, count=3, at=NOON, seed=7))

        assert at_once(lambda: take(ada), lambda: take(grace)) == []
        slots = [(a.example_id, a.slot) for held in got.values() for a in held]
        assert len(slots) == 3, f"round {round_number}"
        assert len(set(slots)) == 3


@pytest.mark.django_db(transaction=True)
def test_a_late_answer_and_a_new_lease_on_its_slot_do_not_deadlock(make_project, add_examples, lease, ada, grace):
    for round_number in range(20):
        project = make_project(name=f"Late {round_number}")
        add_examples(project, 1)
        late = lease(project, ada)[0]
        answer = Answer(client_id=uuid.uuid4(), assignment_id=late.pk, token=late.token, label="ham")

        errors = at_once(
            lambda project=project, answer=answer: annotation_submit(
                project_id=project.pk, answer=answer, by=ada, at=LATER
            ),
            lambda project=project: assignments_next(
                QueueRequest(project=project, by=grace, count=1, at=LATER, seed=1)
            ),
        )

        assert errors == []
        assert Label.objects.get(project=project).label.name == "ham"


@pytest.mark.django_db(transaction=True)
def test_the_same_answer_sent_twice_at_once_is_stored_once(project, add_examples, lease, ada):
    add_examples(project, 1)
    held = lease(project, ada)[0]
    answer = Answer(client_id=uuid.uuid4(), assignment_id=held.pk, token=held.token, label="ham")

    def send():
        annotation_submit(project_id=project.pk, answer=answer, by=ada, at=NOON)

    assert at_once(send, send, send) == []
    assert held.annotations.count() == 1


def test_nobody_gets_the_same_example_twice_under_overlap(make_project, add_examples, lease, ada, grace):
    project = make_project(overlap=2)
    add_examples(project, 3)

    mine, theirs = lease(project, ada, 6), lease(project, grace, 6)

    assert len({a.example_id for a in mine}) == len(mine) == 3
    assert len({a.example_id for a in theirs}) == len(theirs) == 3


def test_one_person_holds_at_most_twenty(project, add_examples, lease, ada):
    add_examples(project, 40)

    assert len(lease(project, ada, 15)) == 15
    assert len(lease(project, ada, 15)) == MOST_HELD - 15
    assert lease(project, ada, 1) == []


def test_a_lease_that_ran_out_goes_to_the_next_person(project, add_examples, lease, ada, grace):
    add_examples(project, 1)
    old = lease(project, ada)[0]

    assert lease(project, grace, at=NOON + LEASE) == []
    new = lease(project, grace, at=LATER)[0]

    old.refresh_from_db()
    assert (old.state, new.state) == (AssignmentState.EXPIRED, AssignmentState.LEASED)
    assert (new.example_id, new.slot) == (old.example_id, old.slot)
    assert new.token != old.token


def test_a_heartbeat_keeps_the_lease(project, add_examples, lease, ada, grace):
    add_examples(project, 1)
    held = lease(project, ada)[0]

    kept = assignments_renew(by=ada, leases=[(held.pk, held.token)], at=NOON + LEASE)

    assert kept == [held.pk]
    assert lease(project, grace, at=LATER) == []


def test_a_heartbeat_with_a_strange_token_or_by_somebody_else_keeps_nothing(project, add_examples, lease, ada, grace):
    add_examples(project, 1)
    held = lease(project, ada)[0]

    assert assignments_renew(by=ada, leases=[(held.pk, uuid.uuid4())], at=NOON) == []
    assert assignments_renew(by=grace, leases=[(held.pk, held.token)], at=NOON) == []
    held.refresh_from_db()
    assert held.leased_until == NOON + LEASE


def test_what_a_closing_tab_gives_back_is_freeat_once(project, add_examples, lease, ada, grace):
    add_examples(project, 1)
    held = lease(project, ada)[0]

    assert assignments_release(by=ada, leases=[(held.pk, held.token)], at=NOON) == 1
    again = lease(project, grace, at=NOON + timedelta(seconds=1))

    assert [a.example_id for a in again] == [held.example_id]


def test_a_lane_of_weight_zero_is_never_tried():
    import random

    for seed in range(50):
        assert lane_order({"active": 0, "random": 1, "holdout": 2}, random.Random(seed))[0] != "active"
        assert "active" not in lane_order({"active": 0, "random": 1, "holdout": 2}, random.Random(seed))
    assert lane_order({"active": 0, "random": 0, "holdout": 0}, random.Random(1)) == []


def test_every_open_example_is_in_the_queue_and_in_its_own_lane(make_project, add_examples):
    project = make_project(holdout_share=0.5)
    add_examples(project, 100)

    waiting = FrontierItem.objects.filter(project=project).select_related("example")

    assert waiting.count() == 100
    assert all((item.lane == "holdout") == item.example.holdout for item in waiting)
    assert not Assignment.objects.filter(project=project).exists()


def test_whoever_let_a_lease_run_out_may_have_the_example_again(make_project, add_examples, lease, ada):
    project = make_project(overlap=2)
    add_examples(project, 1)
    old = lease(project, ada)[0]

    again = lease(project, ada, at=LATER)

    old.refresh_from_db()
    assert [a.example_id for a in again] == [old.example_id]
    assert old.state == AssignmentState.EXPIRED


def test_a_slot_that_was_answered_and_put_back_blocks_nobody(project, add_examples, lease, say, ada, grace):
    add_examples(project, 2)
    answered = lease(project, ada)[0]
    say(answered)
    FrontierItem.objects.create(  # as a draw does that runs beside the answer
        project=project, example=answered.example, slot=answered.slot, lane=answered.lane, rank=0, queued_at=NOON
    )

    assert [a.example_id != answered.example_id for a in lease(project, grace, 2)] == [True]


def test_asked_for_one_a_person_who_holds_enough_gets_none(project, add_examples, lease, ada):
    add_examples(project, 40)
    lease(project, ada, MOST_HELD)
    lease(project, ada, 1)
    assert lease(project, ada, 1) == []
    assert Assignment.objects.filter(holder=ada).count() == MOST_HELD

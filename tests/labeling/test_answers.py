"""Answers are stored once, kept when late, undone without being erased; enough of them become a label."""

import uuid
from datetime import timedelta

import pytest

from apps.errors import DomainError, Invalid, NotFound
from apps.labeling.desk.selectors import why_empty
from apps.labeling.models import Annotation, AssignmentState, FrontierItem, Label, SetAside
from apps.labeling.services.annotations import IDLE_MS, AnswerSaidOtherwise
from apps.labeling.services.frontier import Origin, Scored, frontier_refill, frontier_swap
from apps.labeling.services.undo import UNDO_DEPTH, CannotUndo, annotation_withdraw
from tests.conftest import NOON
from tests.labeling.conftest import LATER


def test_an_answer_becomes_the_label_and_leaves_the_queue(project, add_examples, lease, say, ada):
    add_examples(project, 1)
    say(lease(project, ada)[0], "spam")

    label = Label.objects.get(project=project)
    assert (label.label.name, label.source) == ("spam", "consensus")
    assert not FrontierItem.objects.filter(project=project).exists()


def test_the_same_answer_sent_twice_is_stored_once(project, add_examples, lease, say, ada):
    add_examples(project, 1)
    held, client_id = lease(project, ada)[0], uuid.uuid4()

    first = say(held, client_id=client_id)
    second = say(held, client_id=client_id, active_ms=70)

    assert first.pk == second.pk
    assert Annotation.objects.get().label.name == "ham"


@pytest.mark.parametrize(
    "other", [{"label": "spam"}, {"label": "no label of ours"}, {"skip": "unclear"}, {"comment": "no"}]
)
def test_an_id_that_stands_for_one_answer_takes_no_other(project, add_examples, lease, say, ada, other):
    add_examples(project, 1)
    held, client_id = lease(project, ada)[0], uuid.uuid4()
    say(held, client_id=client_id)

    with pytest.raises(AnswerSaidOtherwise, match="Under this id another answer is kept") as refused:
        say(held, client_id=client_id, **other)
    assert refused.value.http_status == 409
    kept = Annotation.objects.get()
    assert (kept.label.name, kept.comment, kept.withdrawn_at) == ("ham", "", None)


@pytest.mark.parametrize("again", [{"label": "ham"}, {"label": "spam"}, {"skip": "unclear"}])
def test_an_undone_answer_sent_again_under_its_id_is_refused_and_kept_under_a_new_one(
    project, add_examples, lease, say, ada, again
):
    add_examples(project, 1)
    said = say(lease(project, ada)[0])
    held = annotation_withdraw(project_id=project.pk, client_id=said.client_id, by=ada, at=NOON)

    with pytest.raises(AnswerSaidOtherwise, match="This answer was undone"):
        say(held, client_id=said.client_id, **again)
    assert not Annotation.objects.filter(withdrawn_at=None).exists()
    kept = say(held, **again)
    assert list(Annotation.objects.filter(withdrawn_at=None)) == [kept]


def test_who_holds_all_that_is_left_is_told_so(project, add_examples, lease, ada, grace):
    add_examples(project, 3)
    held = lease(project, ada, 2)
    told = why_empty(project, ada, NOON)
    assert (told.title, told.frees_at) == ("You hold what is left", held[0].leased_until)
    assert told.sentence.startswith("You hold 2 examples that are left yourself, in another tab")

    lease(project, grace)
    assert why_empty(project, ada, NOON).sentence.endswith("Somebody else holds 1 more.")
    assert why_empty(project, ada, LATER).title == "Nothing for you right now"


def test_an_id_of_somebody_else_is_refused(project, add_examples, lease, say, ada, grace):
    add_examples(project, 2)
    first = say(lease(project, ada)[0])

    with pytest.raises(Invalid):
        say(lease(project, grace)[0], client_id=first.client_id)
    assert Annotation.objects.count() == 1


def test_an_answer_after_the_lease_ran_out_counts_while_the_slot_is_free(project, add_examples, lease, say, ada):
    add_examples(project, 1)
    late = say(lease(project, ada)[0], at=LATER)

    assert not late.surplus
    assert Label.objects.get().label.name == "ham"


def test_an_answer_after_the_lease_ran_out_is_kept_as_a_surplus_vote(project, add_examples, lease, say, ada, grace):
    add_examples(project, 1)
    old = lease(project, ada)[0]
    new = lease(project, grace, at=LATER)[0]

    late = say(old, at=LATER)
    say(new, at=LATER)

    old.refresh_from_db()
    assert late.surplus and old.state == AssignmentState.EXPIRED
    assert Annotation.objects.count() == 2
    assert Label.objects.get().label.name == "ham"


def test_nobody_votes_twice_by_answering_late(project, add_examples, lease, say, ada, grace):
    add_examples(project, 1)
    old = lease(project, ada)[0]
    lease(project, grace, at=LATER)
    say(old, at=LATER)

    with pytest.raises(DomainError, match="already answered"):
        say(old, "spam", at=LATER)
    assert Annotation.objects.count() == 1


def test_a_late_answer_goes_to_the_newer_lease_of_the_same_person(project, add_examples, lease, say, ada):
    add_examples(project, 1)
    old = lease(project, ada)[0]
    new = lease(project, ada, at=LATER)[0]

    answer = say(old, at=LATER)

    new.refresh_from_db()
    assert answer.assignment_id == new.pk and not answer.surplus
    assert new.state == AssignmentState.ANSWERED
    with pytest.raises(DomainError, match="already answered"):
        say(new, "spam", at=LATER)


def test_a_wrong_token_stores_nothing(project, add_examples, lease, say, ada):
    add_examples(project, 1)
    held = lease(project, ada)[0]

    with pytest.raises(NotFound):
        say(held, token=uuid.uuid4())
    held.refresh_from_db()
    assert held.state == AssignmentState.LEASED
    assert not Annotation.objects.exists()


def test_an_unknown_label_stores_nothing(project, add_examples, lease, say, ada):
    add_examples(project, 1)
    held = lease(project, ada)[0]

    with pytest.raises(Invalid, match="“eggs” is not in the project’s labels"):
        say(held, "eggs")
    assert not Annotation.objects.exists()


def test_an_answer_is_a_label_or_a_reason_never_both_or_neither(project, add_examples, lease, say, ada):
    add_examples(project, 1)
    held = lease(project, ada)[0]

    with pytest.raises(Invalid):
        say(held, "")
    with pytest.raises(Invalid):
        say(held, skip="bored")
    assert not Annotation.objects.exists()


def test_times_from_a_wrong_clock_are_put_right(project, add_examples, lease, say, ada):
    add_examples(project, 2)
    early, late = lease(project, ada, 2)

    say(early, shown_at=NOON - timedelta(days=1), active_ms=10 * IDLE_MS)
    said = say(late, shown_at=NOON + timedelta(days=1), at=NOON + timedelta(seconds=9))

    first = Annotation.objects.get(assignment=early)
    assert (first.shown_at, first.active_ms) == (NOON, IDLE_MS)
    assert said.shown_at == NOON + timedelta(seconds=9)


def test_undo_gives_the_example_back_and_keeps_the_answer_on_record(project, add_examples, lease, say, ada):
    add_examples(project, 1)
    held = lease(project, ada)[0]
    said = say(held)

    again = annotation_withdraw(project_id=project.pk, client_id=said.client_id, by=ada, at=NOON)

    said.refresh_from_db()
    assert said.withdrawn_at == NOON
    assert (again.pk, again.state) == (held.pk, AssignmentState.LEASED)
    assert again.token != held.token
    assert not Label.objects.exists()
    say(again, "spam", token=again.token)
    assert Label.objects.get().label.name == "spam"


def test_only_the_last_twenty_answers_and_only_ones_own_can_be_undone(project, add_examples, lease, say, ada, grace):
    add_examples(project, UNDO_DEPTH + 1)
    said = [say(lease(project, ada)[0]) for _ in range(UNDO_DEPTH + 1)]

    for client_id, by in ((said[0].client_id, ada), (said[-1].client_id, grace), (uuid.uuid4(), ada)):
        with pytest.raises(CannotUndo):
            annotation_withdraw(project_id=project.pk, client_id=client_id, by=by, at=NOON)
    assert Label.objects.count() == UNDO_DEPTH + 1
    annotation_withdraw(project_id=project.pk, client_id=said[1].client_id, by=ada, at=NOON)
    assert Label.objects.count() == UNDO_DEPTH


def test_a_skip_goes_to_somebody_else_and_two_skips_set_aside(project, add_examples, lease, say, ada, grace):
    add_examples(project, 1)
    say(lease(project, ada)[0], skip="unclear")
    assert lease(project, ada) == []
    assert not SetAside.objects.exists()

    say(lease(project, grace)[0], skip="broken")

    assert SetAside.objects.get().reason == "broken"
    assert not FrontierItem.objects.exists()
    assert frontier_refill(project=project, at=LATER, seed=2) == 0


def test_undoing_a_skip_brings_a_set_aside_example_back(project, add_examples, lease, say, ada, grace):
    add_examples(project, 1)
    say(lease(project, ada)[0], skip="unclear")
    second = say(lease(project, grace)[0], skip="unclear")

    annotation_withdraw(project_id=project.pk, client_id=second.client_id, by=grace, at=NOON)

    assert not SetAside.objects.exists()
    assert FrontierItem.objects.count() == 1


@pytest.mark.parametrize("answered", [False, True])
def test_a_skip_stays_once_somebody_else_has_the_example(project, add_examples, lease, say, ada, grace, answered):
    add_examples(project, 1)
    skipped = say(lease(project, ada)[0], skip="unclear")
    theirs = lease(project, grace)[0]
    if answered:
        say(theirs)

    with pytest.raises(CannotUndo):
        annotation_withdraw(project_id=project.pk, client_id=skipped.client_id, by=ada, at=NOON)
    skipped.refresh_from_db()
    assert skipped.withdrawn_at is None


def test_under_overlap_two_the_label_waits_for_the_second_answer(make_project, add_examples, lease, say, ada, grace):
    project = make_project(overlap=2)
    add_examples(project, 1)
    say(lease(project, ada)[0])
    assert not Label.objects.exists()

    say(lease(project, grace)[0])

    assert Label.objects.get().label.name == "ham"
    assert not FrontierItem.objects.exists()


def test_without_reviews_a_tie_asks_one_more_person(make_project, add_examples, lease, say, ada, grace, rosa):
    project = make_project(overlap=2, lane_weights={"active": 65, "random": 10, "holdout": 20, "review": 0})
    add_examples(project, 1)
    say(lease(project, ada)[0], "ham")
    say(lease(project, grace)[0], "spam")
    assert not Label.objects.exists()
    assert FrontierItem.objects.get().reason == {"strategy": "tie"}
    assert lease(project, ada) == []

    say(lease(project, rosa)[0], "spam")

    assert Label.objects.get().label.name == "spam"
    assert not FrontierItem.objects.exists()


def test_a_tie_survives_a_newly_scored_order(make_project, add_examples, lease, say, ada, grace, rosa):
    project = make_project(overlap=2, holdout_share=0.01, lane_weights={"active": 65, "random": 10, "review": 0})
    add_examples(project, 1)
    example = project.examples.get()
    say(lease(project, ada)[0], "ham")
    say(lease(project, grace)[0], "spam")

    picks = [Scored(example.pk, {"strategy": "margin"})]
    FrontierItem.objects.update(lane="active")
    frontier_swap(project=project, picks=picks, origin=Origin("margin", 1, run_number=1), at=NOON)
    assert [a.example_id for a in lease(project, rosa)] == [example.pk]

    FrontierItem.objects.all().delete()
    frontier_refill(project=project, at=LATER, seed=3)
    assert FrontierItem.objects.get().slot == 2

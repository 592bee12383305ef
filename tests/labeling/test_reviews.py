"""Where answers disagree a reviewer decides; what a model doubts is looked at again; what is flagged is seen."""

import pytest

from apps.audit.models import Event
from apps.errors import Invalid
from apps.labeling.desk.presenters import assignment_json
from apps.labeling.desk.selectors import votes_of, why_empty
from apps.labeling.models import FrontierItem, Label, LabelSource, Lane, Review, Suspect
from apps.labeling.services.assignments import QueueRequest, assignments_next
from apps.labeling.services.reviews import slot_after
from apps.labeling.services.undo import annotation_withdraw
from tests.conftest import NOON


@pytest.fixture
def torn(make_project, add_examples, lease, say, ada, grace):
    """One example on which Ada and Grace disagree."""
    project = make_project(overlap=2)
    add_examples(project, 1)
    say(lease(project, ada)[0], "ham")
    say(lease(project, grace)[0], "spam", comment="It asks for money.")
    return project


def review_lease(project, by, at=NOON):
    return assignments_next(
        QueueRequest(project=project, by=by, count=1, at=at, seed=1, may_review=True, only="review")
    )


def test_a_tie_opens_one_review_and_gives_no_label(torn):
    review = Review.objects.get()
    assert (review.state, review.why, review.agreement) == ("open", "disagreement", 0.5)
    assert not Label.objects.exists()
    assert FrontierItem.objects.get().lane == Lane.REVIEW


def test_only_those_who_may_review_are_given_it_and_not_those_who_answered(torn, ada, rosa, mona):
    assert assignments_next(QueueRequest(project=torn, by=mona, count=1, at=NOON, seed=1)) == []
    assert review_lease(torn, ada) == []
    assert len(review_lease(torn, rosa)) == 1


def test_a_reviewers_answer_decides_and_says_what_kind_of_error_it_was(torn, say, rosa):
    held = review_lease(torn, rosa)[0]
    with pytest.raises(Invalid, match="one of ambiguous"):
        say(held, "spam")
    say(held, "spam", error_kind="slip", comment="Clear.")

    label, review = Label.objects.get(), Review.objects.get()
    assert (label.label.name, label.source) == ("spam", LabelSource.REVIEW)
    assert (review.state, review.error_kind, review.note, review.decided_by) == ("decided", "slip", "Clear.", rosa)
    assert not FrontierItem.objects.exists()


def test_a_reviewer_sees_the_answers_without_their_authors(torn):
    votes = votes_of(torn.examples.get().pk, torn)
    assert [(v.number, v.words, v.comment) for v in votes] == [(1, "ham", ""), (2, "spam", "It asks for money.")]
    assert not any("Ada" in str(v) or "Grace" in str(v) for v in votes)


def test_an_undone_review_is_open_again(torn, say, rosa):
    said = say(review_lease(torn, rosa)[0], "spam", error_kind="edge-case")
    again = annotation_withdraw(project_id=torn.pk, client_id=said.client_id, by=rosa, at=NOON)
    assert (Review.objects.get().state, Label.objects.exists()) == ("open", False)
    say(again, "ham", token=again.token, error_kind="ambiguous")
    assert (Review.objects.get().error_kind, Label.objects.get().label.name) == ("ambiguous", "ham")


def test_an_undone_vote_closes_the_review_it_opened(torn, grace):
    vote = torn.annotations.get(annotator=grace)
    annotation_withdraw(project_id=torn.pk, client_id=vote.client_id, by=grace, at=NOON)
    assert Review.objects.get().state == "closed"
    assert not FrontierItem.objects.filter(lane=Lane.REVIEW).exists()


def test_a_majority_under_the_projects_bar_is_reviewed_too(make_project, add_examples, lease, say, ada, grace, rosa):
    project = make_project(overlap=3, review_at_most=0.7)
    add_examples(project, 1)
    for person, word in ((ada, "ham"), (grace, "ham"), (rosa, "spam")):
        say(lease(project, person)[0], word)
    assert Review.objects.get().agreement == pytest.approx(2 / 3)


def test_without_reviews_to_do_the_reviewer_is_told_so(project, rosa):
    assert why_empty(project, rosa, NOON, only="review").title == "No reviews"


def test_a_flag_asks_for_a_reviewers_eye_while_the_label_stands(project, add_examples, lease, say, ada, rosa):
    add_examples(project, 1)
    say(lease(project, ada)[0], "ham", flagged=True)
    assert (Review.objects.get().why, Label.objects.get().label.name) == ("flag", "ham")
    say(review_lease(project, rosa)[0], "spam", error_kind="guideline-gap")
    assert (Label.objects.get().label.name, Label.objects.get().source) == ("spam", "review")


@pytest.fixture
def doubted(project, add_examples, lease, say, ada):
    """A label by Ada that a model doubts, with its slot in the relabel lane."""
    add_examples(project, 1)
    say(lease(project, ada)[0], "ham")
    example, (ham, spam) = project.examples.get(), project.labels.all()
    Suspect.objects.create(
        project=project, example=example, run_number=1, given=ham, expected=spam, quality=0.1, found_at=NOON
    )
    FrontierItem.objects.create(
        project=project,
        example=example,
        slot=slot_after(example.pk),
        lane=Lane.RELABEL,
        rank=0,
        reason={"strategy": "suspect"},
        queued_at=NOON,
    )
    return project


def test_a_second_look_that_agrees_lets_the_label_stand(doubted, lease, say, ada, grace):
    before = Label.objects.get()
    assert lease(doubted, ada) == [], "whoever gave the label is not asked again"
    say(lease(doubted, grace)[0], "ham")
    assert Suspect.objects.get().state == "stands"
    assert Label.objects.get().resolved_at == before.resolved_at


def test_a_second_look_that_disagrees_is_reviewed_and_then_corrects(doubted, lease, say, grace, rosa):
    say(lease(doubted, grace)[0], "spam")
    assert (Review.objects.get().why, Suspect.objects.get().state) == ("relabel", "open")
    assert not Label.objects.exists()
    say(review_lease(doubted, rosa)[0], "spam", error_kind="slip")
    assert (Suspect.objects.get().state, Label.objects.get().label.name) == ("corrected", "spam")


def test_a_second_look_at_an_imported_label_counts_against_it(doubted, lease, say, grace):
    doubted.annotations.all().delete()
    Label.objects.update(source=LabelSource.IMPORTED)
    say(lease(doubted, grace)[0], "spam")
    assert Review.objects.get().why == "relabel"
    assert not Label.objects.exists()


def test_an_answer_given_before_its_label_was_retired_counts_and_one_after_does_not(
    make_project, add_examples, lease, say, ada, mona
):
    from datetime import timedelta

    from apps.projects.services import label_retire

    project = make_project(labels=("ham", "spam", "eggs"))
    add_examples(project, 2)
    early = lease(project, ada)[0]
    label_retire(project=project, name="eggs", by=mona, at=NOON + timedelta(seconds=1))
    late = lease(project, ada, at=NOON + timedelta(seconds=2))[0]

    said = say(early, "eggs", at=NOON + timedelta(seconds=3))
    assert said.label.name == "eggs" and Label.objects.get().label.name == "eggs"
    with pytest.raises(Invalid, match="“eggs” is not in the project’s labels"):
        say(late, "eggs", at=NOON + timedelta(seconds=3))


def test_where_somebody_only_flagged_nobody_is_asked_why_answers_differed(
    make_project, add_examples, lease, say, ada, rosa
):
    project = make_project(overlap=1)
    add_examples(project, 1)
    say(lease(project, ada)[0], "ham", flagged=True)
    held = review_lease(project, rosa)[0]
    votes = votes_of(held.example_id, project)
    assert assignment_json(held, label_names=(), votes=votes)["review"] == {"why": "flag", "asks": False}
    with pytest.raises(Invalid, match="one of ambiguous"):
        say(held, "spam", error_kind="nonsense")
    say(held, "spam", comment="It sells something.")
    review = Review.objects.get()
    assert (review.state, review.error_kind, Label.objects.get().label.name) == ("decided", "", "spam")
    assert Event.objects.get(verb="review.decided").sentence == "Rosa decided a review"


def test_a_flag_on_answers_that_differ_still_asks_why(make_project, add_examples, lease, say, ada, grace, rosa):
    project = make_project(overlap=2)
    add_examples(project, 1)
    say(lease(project, ada)[0], "ham", flagged=True)
    say(lease(project, grace)[0], "spam")
    held = review_lease(project, rosa)[0]
    with pytest.raises(Invalid, match="one of ambiguous"):
        say(held, "spam")

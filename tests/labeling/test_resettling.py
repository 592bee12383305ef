"""A queue whose numbers change in the middle of the work: no answer is stranded, and what somebody has begun comes first."""

from datetime import timedelta

from django.urls import reverse

from apps.audit.models import Event
from apps.labeling.models import LANE_WEIGHTS, Annotation, FrontierItem, GoldItem, Label, Lane, QueueSettings, Review
from apps.labeling.services import resettling
from apps.labeling.services.annotations import Answer
from apps.labeling.services.frontier import Origin, Scored, frontier_refill, frontier_swap
from apps.labeling.services.queue_settings import queue_settings_set
from apps.labeling.services.resettling import SILENT, resettle, resettlings_sweep
from apps.labeling.services.undo import annotation_edit
from apps.work.names import Job
from tests.conftest import NOON

LATER = NOON + timedelta(hours=1)  # every lease has run out
ONLY_ACTIVE = dict.fromkeys(LANE_WEIGHTS, 0) | {"active": 1}  # a lane that is not named has its usual weight


def set_queue(project, by, **given):
    kept = queue_settings_set(project=project, by=by, at=LATER, **given)
    project.refresh_from_db()
    return kept


def slots_of(project):
    """How many answers are still asked for, by example."""
    found: dict[str, int] = {}
    for name in FrontierItem.objects.filter(project=project).values_list("example__external_id", flat=True):
        found[name] = found.get(name, 0) + 1
    return found


def test_half_answered_examples_get_their_label_when_one_answer_is_enough(
    make_project, add_examples, lease, say, ada, grace, mona
):
    project = make_project(overlap=2)
    add_examples(project, 12)
    for held in lease(project, ada, 5):
        say(held)
    said = [say(held, "spam") for held in lease(project, grace, 3, at=LATER)]
    assert len(said) == 3
    both = Label.objects.count()  # where the two met: they disagree, so none
    kept = set_queue(project, mona, overlap=1)

    answered_by_one = Annotation.objects.values("example").distinct().count() - Review.objects.count()
    assert (both, kept.settling_done, kept.settling_left) == (0, answered_by_one, 0)
    assert Label.objects.count() == answered_by_one
    open_now = slots_of(project)
    assert set(open_now.values()) == {1}
    assert len(open_now) == 12 - answered_by_one  # the rest once each, and those where the two differ as a review
    assert Event.objects.get(verb="queue.settled").after == {"settled": answered_by_one}


def test_raising_the_number_asks_twice_for_what_waits_and_begun_examples_come_first(
    make_project, add_examples, lease, say, ada, grace, mona
):
    project = make_project(overlap=1, lane_weights=ONLY_ACTIVE)
    add_examples(project, 40)
    labeled = say(lease(project, ada)[0]).example_id
    held = lease(project, ada)[0]  # on Ada's screen while the number changes
    queue_settings_set(project=project, by=mona, at=NOON, overlap=2)
    project.refresh_from_db()

    assert Label.objects.filter(pk=labeled).exists()  # what is settled stays settled
    assert len(slots_of(project)) == 39
    assert set(slots_of(project).values()) == {2}
    say(held)
    assert not Label.objects.filter(pk=held.example_id).exists()
    mine = [say(a) for a in lease(project, ada, 3)]
    begun = {held.example_id, *(a.example_id for a in mine)}
    theirs = lease(project, grace, 4)
    assert {a.example_id for a in theirs} == begun
    for each in theirs:
        say(each)
    assert Label.objects.filter(pk__in=begun).count() == 4


def test_there_and_back_loses_no_answer(make_project, add_examples, lease, say, ada, grace, mona):
    project = make_project(overlap=1)
    add_examples(project, 20)
    for held in lease(project, ada, 4):
        say(held)
    set_queue(project, mona, overlap=2)
    for person in (ada, grace):
        for held in lease(project, person, 4, at=LATER):
            say(held, at=LATER)
    set_queue(project, mona, overlap=1)
    answered = set(Annotation.objects.values_list("example", flat=True))
    assert set(Label.objects.values_list("pk", flat=True)) == answered
    assert not FrontierItem.objects.filter(example__in=answered).exists()
    assert set(slots_of(project).values()) == {1}


def test_from_three_to_two_trims_the_slots_and_settles_what_has_two(
    make_project, add_examples, lease, say, ada, grace, mona
):
    project = make_project(overlap=3)
    add_examples(project, 3)
    for person in (ada, grace):
        say(lease(project, person)[0])
    kept = set_queue(project, mona, overlap=2)
    assert kept.settling_done == 1
    assert sorted(slots_of(project).values()) == [2, 2]


def test_a_lanes_own_number_counts_like_the_projects(make_project, add_examples, lease, say, ada, mona):
    project = make_project(lane_overlap={"active": 2}, lane_weights=ONLY_ACTIVE)
    add_examples(project, 30)
    said = say(lease(project, ada)[0])
    assert not Label.objects.exists()
    kept = set_queue(project, mona, lane_overlap={})
    assert (kept.settling_done, Label.objects.get().pk) == (1, said.example_id)


def test_a_lower_bar_closes_the_reviews_it_makes_needless(
    make_project, add_examples, lease, say, ada, grace, rosa, mona
):
    project = make_project(overlap=3, review_at_most=0.7)
    add_examples(project, 1)
    for person, word in ((ada, "ham"), (grace, "ham"), (rosa, "spam")):
        say(lease(project, person)[0], word)
    assert Review.objects.get().state == "open"
    kept = set_queue(project, mona, review_at_most=0.5)
    assert (kept.settling_done, Label.objects.get().label.name, Review.objects.get().state) == (1, "ham", "closed")


def test_a_closed_review_lane_asks_somebody_else_instead(
    make_project, add_examples, lease, say, ada, grace, rosa, mona
):
    project = make_project(overlap=2)
    add_examples(project, 1)
    say(lease(project, ada)[0], "ham")
    say(lease(project, grace)[0], "spam")
    assert lease(project, rosa) == []
    set_queue(project, mona, lane_weights={"review": 0})
    say(lease(project, rosa, at=LATER)[0], "spam", at=LATER)
    assert (Label.objects.get().label.name, Review.objects.get().state) == ("spam", "closed")


def test_gold_and_reviews_are_left_alone(make_project, add_examples, lease, say, ada, grace, mona):
    project = make_project(overlap=2)
    add_examples(project, 4)
    known = project.examples.get(external_id="m0")
    FrontierItem.objects.filter(example=known).delete()
    GoldItem.objects.create(project=project, example=known, label=project.labels.get(name="ham"), at=NOON)
    torn = lease(project, ada)[0]
    say(torn, "ham")
    FrontierItem.objects.filter(example=torn.example).update(rank=0)
    other = next(a for a in lease(project, grace, 4) if a.example_id == torn.example_id)
    say(other, "spam")
    before = list(FrontierItem.objects.filter(lane=Lane.REVIEW).values())
    assert len(before) == 1
    set_queue(project, mona, overlap=3)
    set_queue(project, mona, overlap=1)
    assert list(FrontierItem.objects.filter(lane=Lane.REVIEW).values()) == before
    assert (Review.objects.get().state, GoldItem.objects.count()) == ("open", 1)
    assert not FrontierItem.objects.filter(example=known).exists()


def test_what_else_is_set_settles_nothing(make_project, add_examples, lease, say, ada, mona):
    project = make_project(overlap=2)
    add_examples(project, 3)
    say(lease(project, ada)[0])
    waits = list(FrontierItem.objects.order_by("pk").values())
    kept = set_queue(project, mona, blind_share=0.5, gold_failures=5, lane_weights={"active": 3})
    assert (kept.settling_done, kept.settling_left, list(FrontierItem.objects.order_by("pk").values())) == (0, 0, waits)


def test_a_new_order_keeps_what_somebody_has_begun(make_project, add_examples, lease, say, ada, grace):
    project = make_project(overlap=2, lane_weights=ONLY_ACTIVE)
    add_examples(project, 30)
    begun = say(lease(project, ada)[0]).example_id
    others = project.examples.filter(holdout=False).exclude(pk=begun).values_list("pk", flat=True)[:5]
    frontier_swap(
        project=project,
        picks=[Scored(pk, {"strategy": "margin"}) for pk in others],
        origin=Origin("margin", 5, run_number=1),
        at=LATER,
    )
    frontier_refill(project=project, at=LATER, seed=2, redraw=True)
    assert FrontierItem.objects.filter(example_id=begun).count() == 1
    say(next(a for a in lease(project, grace, 8, at=LATER) if a.example_id == begun), at=LATER)
    assert Label.objects.filter(pk=begun).exists()


def test_a_long_settling_goes_on_in_a_job_and_a_lost_one_is_sent_again(
    make_project, add_examples, lease, say, ada, mona, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(resettling, "ask", lambda job, *args: sent.append((job, *args)))
    monkeypatch.setattr(resettling, "CHUNK", 2)
    monkeypatch.setattr("apps.labeling.services.queue_settings.AT_ONCE_S", -1.0)
    project = make_project(overlap=2)
    add_examples(project, 5)
    for held in lease(project, ada, 5):
        say(held)
    with django_capture_on_commit_callbacks(execute=True):
        kept = set_queue(project, mona, overlap=1)
    assert (kept.settling_done, kept.settling_left, sent) == (2, 3, [(Job.SETTLE, project.pk)])
    assert resettlings_sweep(at=LATER) == []
    assert resettlings_sweep(at=LATER + SILENT + timedelta(seconds=1)) == [project.pk]
    found = resettle(project_id=project.pk, by=None, at=LATER)
    assert (found.settled, found.left, Label.objects.count()) == (5, 0, 5)
    assert QueueSettings.objects.get().settling_after is None
    assert resettle(project_id=project.pk, by=None, at=LATER) == found
    assert Event.objects.filter(verb="queue.settled").count() == 1


def test_the_page_says_how_many_examples_settled(client, make_project, add_examples, lease, say, ada, mona):
    project = make_project(overlap=2)
    add_examples(project, 4)
    for held in lease(project, ada, 2):
        say(held)
    client.force_login(mona)
    page = client.get(reverse("queue:settings", args=[project.pk]))
    form = {name: value for name, value in page.context["queue_form"].initial.items() if value is not None}
    form |= {bound.name: bound.value() for bound in page.context["queue_form"] if bound.value() is not None}
    said = client.post(reverse("queue:set", args=[project.pk]), {**form, "overlap": 1}, follow=True)
    assert [str(m) for m in said.context["messages"]] == ["The queue is set. 2 examples settled."]


def test_an_old_answer_that_is_changed_under_a_higher_number_waits_for_its_second(
    make_project, add_examples, lease, say, ada, grace, mona
):
    project = make_project(overlap=1)
    add_examples(project, 5)
    said = say(lease(project, ada)[0], "spam")
    set_queue(project, mona, overlap=2)
    answer = Answer(client_id=said.assignment.token, assignment_id=0, token=said.assignment.token, label="ham")
    annotation_edit(project=project, of=said.client_id, answer=answer, by=ada, at=LATER)
    assert not Label.objects.filter(pk=said.example_id).exists()
    say(next(a for a in lease(project, grace, 8, at=LATER) if a.example_id == said.example_id), at=LATER)
    assert Label.objects.get(pk=said.example_id).label.name == "ham"

"""Gold: what makes an example known, what keeps it from being, and what is left when it is taken out."""

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import Event
from apps.errors import Invalid, NotFound
from apps.labeling.models import (
    FrontierItem,
    GoldItem,
    Label,
    LabelSource,
    Lane,
    Review,
    ReviewState,
    SetAside,
    Suspect,
)
from apps.labeling.services.assignments import LEASE, QueueRequest, assignments_next
from apps.quality.services import CannotBeGold, gold_add, gold_paste, gold_remove
from tests.conftest import NOON
from tests.quality.conftest import example

HAM = {"label": "ham"}


def at(name, project, *more):
    return reverse(f"quality:{name}", args=[project.pk, *more])


def waits(project, about, *, lane=Lane.ACTIVE, slot=0, until=None):
    return FrontierItem.objects.create(
        project=project, example=about, slot=slot, lane=lane, rank=0, queued_at=NOON, leased_until=until
    )


def labeled(project, about, name="ham", source=LabelSource.CONSENSUS):
    label = project.labels.get(name=name)
    return Label.objects.create(
        project=project,
        example=about,
        label=label,
        source=source,
        holdout=about.holdout,
        shown_at=NOON,
        resolved_at=NOON,
    )


def test_a_known_answer_is_the_label_and_the_example_leaves_the_queue(project, examples, mona):
    waits(project, examples[0])
    SetAside.objects.create(project=project, example=examples[0], reason="unclear", at=NOON)
    gold_add(project=project, example_id=examples[0].pk, value=HAM, explanation=" As said. ", by=mona, at=NOON)
    item, label = GoldItem.objects.get(), Label.objects.get()
    assert (item.label.name, item.explanation, item.by) == ("ham", "As said.", mona)
    assert (label.label.name, label.source, label.holdout) == ("ham", LabelSource.GOLD, False)
    assert not FrontierItem.objects.exists() and not SetAside.objects.exists()
    assert Event.objects.first().sentence == "Mona made example q0 gold: ham"


def test_a_slot_that_somebody_holds_stays_theirs(project, examples, mona):
    waits(project, examples[0], until=NOON + LEASE)
    gold_add(project=project, example_id=examples[0].pk, value=HAM, by=mona, at=NOON)
    assert FrontierItem.objects.count() == 1


def test_an_equal_label_stays_the_same_row_and_another_is_new_to_the_next_run(project, examples, mona):
    for each, name in zip(examples, ("ham", "spam"), strict=False):
        label = labeled(project, each, name)
        label.first_run_number = 3
        label.save()
        gold_add(project=project, example_id=each.pk, value=HAM, by=mona, at=NOON)
    same, other = (Label.objects.get(pk=e.pk) for e in examples[:2])
    assert (same.source, same.first_run_number) == (LabelSource.GOLD, 3)
    assert (other.source, other.first_run_number, other.label.name) == (LabelSource.GOLD, None, "ham")


def test_an_open_review_and_an_open_doubt_end_with_it(project, examples, mona):
    labeled(project, examples[0], "spam")
    Review.objects.create(project=project, example=examples[0], why="flag", opened_at=NOON)
    waits(project, examples[0], lane=Lane.REVIEW)
    ham, spam = project.labels.all()
    doubt = {"run_number": 1, "given": spam, "expected": ham, "quality": 0.1, "found_at": NOON}
    Suspect.objects.create(project=project, example=examples[0], **doubt)
    gold_add(project=project, example_id=examples[0].pk, value=HAM, by=mona, at=NOON)
    assert Review.objects.get().state == ReviewState.CLOSED
    assert Suspect.objects.get().state == "corrected"
    assert not FrontierItem.objects.exists()


def test_everybody_is_asked_once_and_the_answer_changes_nothing(project, examples, mona, ada, grace):
    project.queue.lane_weights = {Lane.GOLD: 1}
    project.queue.save()
    gold_add(project=project, example_id=examples[0].pk, value=HAM, by=mona, at=NOON)
    for who in (ada, grace):
        assert [
            a.example_id for a in assignments_next(QueueRequest(project=project, by=who, count=5, at=NOON, seed=1))
        ] == [examples[0].pk]
    assert assignments_next(QueueRequest(project=project, by=ada, count=5, at=NOON, seed=1)) == []


@pytest.mark.parametrize(
    ("holdout", "twice", "value", "refusal", "words"),
    [
        (True, False, HAM, CannotBeGold, "lies in the holdout"),
        (False, True, HAM, CannotBeGold, "gold already"),
        (False, False, {"label": "no such"}, Invalid, "not in the project’s labels"),
    ],
)
def test_what_cannot_be_gold_is_refused_and_nothing_changes(project, mona: User, holdout, twice, value, refusal, words):
    about = example(project, 1, holdout=holdout)
    if twice:
        gold_add(project=project, example_id=about.pk, value=HAM, by=mona, at=NOON)
    before = list(GoldItem.objects.values()), list(Label.objects.values())
    with pytest.raises(refusal, match=words):
        gold_add(project=project, example_id=about.pk, value=value, by=mona, at=NOON)
    assert (list(GoldItem.objects.values()), list(Label.objects.values())) == before


def test_an_example_of_another_project_is_not_found(project, make_project, mona):
    other = example(make_project(), 1)
    with pytest.raises(NotFound):
        gold_add(project=project, example_id=other.pk, value=HAM, by=mona, at=NOON)


def test_taken_out_the_label_stays_as_decided_or_goes_and_what_people_said_counts(
    project, examples, said, mona, ada, grace
):
    for each in examples[:2]:
        said(ada, each, "spam")
        gold_add(project=project, example_id=each.pk, value=HAM, by=mona, at=NOON)
        said(grace, each, "ham", lane=Lane.GOLD, right=True)
    gold_remove(project=project, example_id=examples[0].pk, keep_label=True, by=mona, at=NOON)
    gold_remove(project=project, example_id=examples[1].pk, keep_label=False, by=mona, at=NOON)
    kept, gone = (Label.objects.get(pk=e.pk) for e in examples[:2])
    assert (kept.label.name, kept.source) == ("ham", LabelSource.REVIEW)
    assert (gone.label.name, gone.source) == ("spam", LabelSource.CONSENSUS)  # a gold answer is no vote
    assert not GoldItem.objects.exists() and Event.objects.filter(verb="gold.removed").count() == 2


def test_a_paste_is_taken_whole_or_not_at_all(project, examples, mona):
    with pytest.raises(Invalid, match="Line 2: there is no example “nope”"):
        gold_paste(project=project, lines=[(1, "q0", HAM), (2, "nope", HAM)], by=mona, at=NOON)
    assert not GoldItem.objects.exists() and not Label.objects.exists()
    assert len(gold_paste(project=project, lines=[(1, "q1", HAM), (2, "q0", HAM)], by=mona, at=NOON)) == 2


def test_mona_searches_an_example_and_makes_it_gold(as_, project, examples, mona, lin):
    labeled(project, examples[3], "spam")
    browser = as_(mona)
    page = browser.get(at("gold", project), {"text": "words 3"}).content.decode()
    assert "Make gold" in page and "q3" in page and "q4" not in page
    answer = browser.post(
        at("gold_add", project), {"example": examples[3].pk, "label": "spam", "explanation": "It sells."}
    )
    assert answer.status_code == 302
    page = as_(lin).get(at("gold", project)).content.decode()
    assert "It sells." in page and "Paste many" not in page  # an engineer reads
    refused = browser.post(at("gold_add", project), {"example": examples[3].pk, "label": "spam"})
    assert refused.status_code == 409 and "gold already" in refused.content.decode()
    assert browser.post(at("gold_add", project), {"example": examples[4].pk, "label": ""}).status_code == 422


def test_a_paste_says_which_lines_do_not_fit_and_keeps_what_was_typed(as_, project, examples, mona):
    answer = as_(mona).post(at("gold_paste", project), {"lines": "q0,ham\nq1 eggs\n\nq2,eggs"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "Line 2:" in page and "Line 4:" in page and "q1 eggs" in page
    assert not GoldItem.objects.exists()
    assert as_(mona).post(at("gold_paste", project), {"lines": "q0\tham\nq1, spam\nq2;ham"}).status_code == 302
    assert GoldItem.objects.count() == 3


def test_an_id_with_commas_and_answers_of_several_parts_can_be_pasted(as_, make_project, mona):
    spans = make_project("text-spans", ("PER",))
    about = example(spans, 1, text="Ada writes")
    line = 'q1 {"spans": [{"start": 0, "end": 3, "label": "PER"}]}'
    assert as_(mona).post(at("gold_paste", spans), {"lines": line}).status_code == 302
    assert GoldItem.objects.get(pk=about.pk).value == {"spans": [{"start": 0, "end": 3, "label": "PER"}]}
    assert as_(mona).post(at("gold_paste", spans), {"lines": "q1 PER"}).status_code == 422


def test_known_answers_that_many_miss_stand_first(as_, project, examples, said, mona, ada, grace):
    for each in examples[:2]:
        gold_add(project=project, example_id=each.pk, value=HAM, by=mona, at=NOON)
    said(ada, examples[1], "spam", lane=Lane.GOLD, right=False)
    said(grace, examples[1], "spam", lane=Lane.GOLD, right=False)
    said(ada, examples[0], "ham", lane=Lane.GOLD, right=True)
    page = as_(mona).get(at("gold", project)).content.decode()
    assert page.index("words 1") < page.index("words 0") and "33.3 %" in page
    assert as_(mona).post(at("gold_remove", project, examples[1].pk), {"label": "drop"}).status_code == 302
    assert as_(mona).post(at("gold_remove", project, examples[1].pk)).status_code == 409


def test_the_empty_page_says_what_gold_is_good_for(as_, project, mona, rosa):
    assert "No gold examples yet" in as_(mona).get(at("gold", project)).content.decode()
    assert "A manager or admin can add them" in as_(rosa).get(at("gold", project)).content.decode()

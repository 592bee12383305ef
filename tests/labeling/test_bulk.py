"""Labeling many at once: each is an answer of its own, nothing is stored twice, and what is left out is said in words."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.errors import DomainError, Invalid
from apps.features.shards import shard_write
from apps.labeling.bulk.neighbors import neighbors_of, not_to_ask
from apps.labeling.encoders import encoder_of
from apps.labeling.models import (
    Annotation,
    Assignment,
    AssignmentState,
    FrontierItem,
    GoldItem,
    Label,
    LabelSource,
    Lane,
    Pause,
    Review,
)
from apps.labeling.services.bulk import (
    CannotTake,
    annotations_bulk,
    assignment_take,
    bulk_withdraw,
    example_flag,
    last_batch,
)
from apps.labeling.services.undo import CannotUndo
from apps.projects.models import Project
from tests.conftest import NOON
from tests.labeling.conftest import LATER, at_once


def ids_of(project: Project, *, holdout: bool = False) -> list[int]:
    return list(Example.objects.filter(project=project, holdout=holdout).order_by("pk").values_list("pk", flat=True))


def bulk(project: Project, ids: list[int], by: User, label: str = "ham", **more: object):  # type: ignore[no-untyped-def]
    client_id = more.pop("client_id", None) or uuid.uuid4()
    return annotations_bulk(
        project=project, example_ids=ids, value={"label": label}, client_id=client_id, by=by, at=NOON, **more
    )


@pytest.fixture
def embed() -> Callable[[Project], None]:
    """Vectors on a quarter circle in the order of the ids: the nearest of one are its neighbors in that order."""

    def write(project: Project) -> None:
        rows = Example.objects.filter(project=project).order_by("pk").values_list("pk", "holdout")
        angles = np.linspace(0, 1.5, len(rows))
        shard_write(
            project_id=project.pk,
            encoder=encoder_of(project),
            ids=np.array([pk for pk, _ in rows]),
            holdout=np.array([held for _, held in rows]),
            vectors=np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16),
            at=NOON,
        )

    return write


def test_each_example_gets_an_answer_of_its_own_in_the_lane_bulk_and_its_label(project, add_examples, ada):
    add_examples(project, 20)
    ids = ids_of(project)[:5]
    batch = bulk(project, ids, ada, active_ms=10_000)

    assert (batch.saved, batch.sentence) == (tuple(ids), "5 examples labeled.")
    answers = Annotation.objects.filter(annotator=ada)
    assert {(a.example_id, a.assignment.lane, a.assignment.state, a.active_ms) for a in answers.all()} == {
        (pk, Lane.BULK, AssignmentState.ANSWERED, 2000) for pk in ids
    }
    assert set(Label.objects.values_list("example_id", "label__name", "source", "lane")) == {
        (pk, "ham", LabelSource.CONSENSUS, Lane.BULK) for pk in ids
    }
    assert not FrontierItem.objects.filter(example_id__in=ids).exists()


def test_the_same_batch_sent_twice_is_stored_once(project, add_examples, ada):
    add_examples(project, 20)
    ids, client_id = ids_of(project)[:3], uuid.uuid4()
    first = bulk(project, ids, ada, client_id=client_id)
    again = bulk(project, ids, ada, label="spam", client_id=client_id)

    assert again.saved == first.saved
    assert Annotation.objects.count() == 3
    assert set(Label.objects.values_list("label__name", flat=True)) == {"ham"}


@pytest.mark.django_db(transaction=True)
def test_the_same_batch_sent_twice_at_once_is_stored_once(project, add_examples, ada):
    add_examples(project, 20)
    ids, client_id = ids_of(project)[:5], uuid.uuid4()
    assert at_once(*[lambda: bulk(project, ids, ada, client_id=client_id)] * 2) == []
    assert Annotation.objects.count() == 5


def test_what_is_left_out_is_said_in_words_and_keeps_what_it_has(make_project, add_examples, lease, say, ada, grace):
    project = make_project(holdout_share=0.2)
    add_examples(project, 60)
    held, answered = lease(project, grace)[0], lease(project, ada)[0]
    say(answered, "spam")
    mine, free = ids_of(project), set(ids_of(project)) - {held.example_id, answered.example_id}
    gold = free.pop()
    GoldItem.objects.create(example_id=gold, project=project, label=project.labels.get(name="spam"), at=NOON)
    kept, theirs = free.pop(), ids_of(project, holdout=True)[:2]
    batch = bulk(project, [kept, gold, held.example_id, answered.example_id, *theirs, 10**9], ada)

    assert batch.saved == (kept,)
    in_holdout = 2 + sum(x not in mine for x in (held.example_id, answered.example_id))
    assert batch.left_out[f"{in_holdout} are in the holdout, which is asked one by one and by chance."] == in_holdout
    assert batch.left_out["1 was not found here."] == 1
    assert not any("gold" in words for words in batch.left_out)
    assert Annotation.objects.filter(assignment__lane=Lane.BULK).count() == 1


def test_an_example_before_somebody_is_left_to_them(project, add_examples, lease, ada, grace):
    add_examples(project, 20)
    held = next(a for a in lease(project, grace, 10) if not a.example.holdout and a.example_id in ids_of(project))
    batch = bulk(project, [held.example_id], ada)
    assert (batch.saved, batch.sentence) == ((), "0 examples labeled. 1 is before somebody right now.")
    assert not Label.objects.exists()


def test_with_two_answers_wanted_a_batch_is_one_of_them(make_project, add_examples, ada, grace):
    project = make_project(overlap=2)
    add_examples(project, 10)
    pk = ids_of(project)[0]
    bulk(project, [pk], ada)
    assert not Label.objects.exists()
    assert FrontierItem.objects.filter(example_id=pk).count() == 1
    bulk(project, [pk], grace)
    assert Label.objects.get().example_id == pk
    assert not FrontierItem.objects.filter(example_id=pk).exists()


def test_a_value_that_does_not_fit_stores_nothing(project, make_project, add_examples, ada):
    add_examples(project, 10)
    for label, ids in (("eggs", ids_of(project)[:1]), ("ham", []), ("ham", list(range(101)))):
        with pytest.raises(Invalid):
            bulk(project, ids, ada, label=label)
    spans = make_project("text-spans")
    with pytest.raises(Invalid, match="one by one"):
        annotations_bulk(project=spans, example_ids=[1], value={"spans": []}, client_id=uuid.uuid4(), by=ada, at=NOON)
    assert not Annotation.objects.exists()


def test_many_labels_are_given_to_many_examples(make_project, add_examples, ada):
    project = make_project("text-multilabel", labels=("a", "b", "c"))
    add_examples(project, 10)
    ids = ids_of(project)[:2]
    annotations_bulk(
        project=project, example_ids=ids, value={"labels": ["c", "a"]}, client_id=uuid.uuid4(), by=ada, at=NOON
    )
    assert [x.value for x in Label.objects.all()] == [{"labels": ["a", "c"]}] * 2


def test_somebody_paused_labels_nothing_in_bulk(project, add_examples, ada):
    add_examples(project, 10)
    Pause.objects.create(project=project, person=ada, reason="gold", at=NOON)
    with pytest.raises(DomainError, match="paused"):
        bulk(project, ids_of(project)[:1], ada)
    assert not Annotation.objects.exists()


def test_the_last_batch_is_undone_as_a_whole_and_no_other(project, add_examples, ada, grace):
    add_examples(project, 20)
    ids = ids_of(project)
    first, second = bulk(project, ids[:2], ada), bulk(project, ids[2:5], ada)
    for client_id, who in ((first.client_id, ada), (second.client_id, grace)):
        with pytest.raises(CannotUndo):
            bulk_withdraw(project=project, client_id=client_id, by=who, at=NOON)
    assert Label.objects.count() == 5

    assert bulk_withdraw(project=project, client_id=second.client_id, by=ada, at=NOON) == 3
    assert set(Label.objects.values_list("example_id", flat=True)) == set(ids[:2])
    assert Annotation.objects.filter(withdrawn_at=NOON).count() == 3
    assert last_batch(project=project, by=ada) == first.client_id
    assert bulk(project, ids[2:5], ada, label="spam").saved == tuple(ids[2:5])


def test_the_nearest_come_first_without_the_holdout_the_labeled_and_ones_own(make_project, add_examples, embed, ada):
    project = make_project(holdout_share=0.2)
    add_examples(project, 60)
    embed(project)
    ids = ids_of(project)
    bulk(project, ids[1:3], ada)
    found = neighbors_of(project, ids[0], count=4, without=not_to_ask(project, ada), holdout=False)

    assert found.ids == tuple(ids[3:7])
    assert found.similarities[0] > found.similarities[-1] > 0.8
    assert not neighbors_of(project, 10**9, count=4, without=not_to_ask(project, ada), holdout=False).known


def test_the_page_shows_what_is_alike_and_labels_what_is_selected(as_, project, add_examples, embed, ada):
    add_examples(project, 20)
    embed(project)
    browser, ids = as_(ada), ids_of(project)
    page = browser.get(reverse("bulk:bulk", args=[project.pk]), {"like": ids[0], "n": 10})
    assert [line.pk for line in page.context["found"].lines] == ids[:10]

    form = {
        "client_id": uuid.uuid4(),
        "example": ids[:3],
        "label": "spam",
        "like": ids[0],
        "n": 10,
        "active_ms": "nonsense",
    }
    answer = browser.post(reverse("bulk:label", args=[project.pk]), form, follow=True)
    assert "3 examples labeled." in answer.content.decode()
    assert [line.pk for line in answer.context["found"].lines] == ids[3:13]
    assert answer.context["found"].batch is not None

    again = browser.post(
        reverse("bulk:undo", args=[project.pk]),
        {"client_id": answer.context["found"].batch, "like": ids[0]},
        follow=True,
    )
    assert "3 answers withdrawn" in again.content.decode()
    assert not Label.objects.exists()


def test_the_page_says_what_is_missing(as_, project, make_project, add_examples, ada):
    add_examples(project, 5)
    browser, spans = as_(ada), make_project("text-spans")
    address = reverse("bulk:bulk", args=[project.pk])
    assert "Choose an example to start from" in browser.get(address).content.decode()
    assert "It has no vector yet" in browser.get(address, {"like": ids_of(project)[0]}).content.decode()
    assert browser.get(address, {"like": 10**9}).status_code == 404
    assert "One by one here" in browser.get(reverse("bulk:bulk", args=[spans.pk])).content.decode()
    assert browser.post(reverse("bulk:label", args=[project.pk]), {"label": "ham"}).status_code == 422


def test_an_example_is_taken_out_of_turn_with_its_own_slot_and_nobody_else_is_asked(
    project, add_examples, lease, say, ada, grace
):
    add_examples(project, 5)
    pk = ids_of(project)[0]
    taken = assignment_take(project=project, example_id=pk, by=ada, at=NOON)

    assert (taken.lane, taken.state, taken.reason) == (Lane.BULK, AssignmentState.LEASED, {"strategy": "chosen"})
    assert pk not in {a.example_id for a in lease(project, grace, 20)}
    assert assignment_take(project=project, example_id=pk, by=ada, at=NOON).pk == taken.pk
    say(taken, "spam")
    assert Label.objects.get(pk=pk).label.name == "spam"
    assert not FrontierItem.objects.filter(example_id=pk).exists()


def test_a_lease_taken_out_of_turn_frees_itself(project, add_examples, ada, grace):
    add_examples(project, 5)
    pk = ids_of(project)[0]
    assignment_take(project=project, example_id=pk, by=ada, at=NOON)
    assert assignment_take(project=project, example_id=pk, by=grace, at=LATER).holder == grace
    assert Assignment.objects.filter(example_id=pk, state=AssignmentState.EXPIRED).count() == 1


def test_what_somebody_holds_or_is_labeled_or_held_out_is_not_taken(make_project, add_examples, ada, grace):
    project = make_project(holdout_share=0.2)
    add_examples(project, 60)
    ids = ids_of(project)
    assignment_take(project=project, example_id=ids[0], by=grace, at=NOON)
    bulk(project, ids[1:2], grace)
    for pk, words in (
        (ids[0], "before somebody"),
        (ids[1], "labeled already"),
        (ids_of(project, holdout=True)[0], "holdout"),
    ):
        with pytest.raises(CannotTake, match=words):
            assignment_take(project=project, example_id=pk, by=ada, at=NOON + timedelta(seconds=1))
    assert not Assignment.objects.filter(holder=ada).exists()


def test_a_flag_opens_a_review_where_somebody_reviews(project, make_project, add_examples, ada):
    closed = make_project(lane_weights={"active": 100})
    for each in (project, closed):
        add_examples(each, 5)
    example_flag(project=project, example_id=ids_of(project)[0], by=ada, at=NOON)
    assert Review.objects.get().why == "flag"
    with pytest.raises(Invalid, match="Nobody reviews"):
        example_flag(project=closed, example_id=ids_of(closed)[0], by=ada, at=NOON)

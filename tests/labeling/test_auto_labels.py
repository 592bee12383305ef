"""What the model labels by itself is marked, audited by people, and withdrawn when the audit fails."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from apps.audit.models import Event
from apps.datasets.models import Example
from apps.errors import Invalid
from apps.features.models import EmbeddingShard
from apps.labeling.desk.selectors import why_empty
from apps.labeling.models import AutoBatch, AutoLabel, AutoLabeling, Frontier, FrontierItem, Label, Lane
from apps.labeling.selectors import counts_of
from apps.labeling.services import auto_labels
from apps.labeling.services.assignments import QueueRequest, assignments_next
from apps.labeling.services.auto_labels import AutoLabelsGiven, auto_batch_give, auto_batch_withdraw, auto_labeling_set
from apps.labeling.services.frontier import frontier_refill
from apps.labeling.services.undo import annotation_withdraw
from apps.loop.services.scoring import order_check
from apps.projects.models import Project
from apps.rules.autolabel import Threshold
from tests.conftest import NOON
from tests.labeling.conftest import LATER
from tests.rows import Sent

FOUND = Threshold(0.98, 400, 1, 0.9882, "Held at 98 %.")


@pytest.fixture
def allowed(make_project, add_examples, mona) -> Project:
    """A project of 400 examples in which the model may label at 95 % precision, a tenth of it audited."""
    project = make_project(holdout_share=0.05)
    add_examples(project, 400)
    auto_labeling_set(project=project, enabled=True, target_precision=0.95, audit_share=0.1, by=mona, at=NOON)
    return project


@pytest.fixture
def give() -> Callable[..., AutoBatch | None]:
    """The model says ham of every example that waits in the active lane, or of these ids."""

    def label(project: Project, ids: list[int] | None = None, says: int = 0) -> AutoBatch | None:
        lane = FrontierItem.objects.filter(project=project, lane=Lane.ACTIVE).order_by("pk")
        found = np.array(ids if ids is not None else lane.values_list("example_id", flat=True), np.int64)
        places, confidence = np.full(len(found), says), np.full(len(found), 0.99)
        given = AutoLabelsGiven(found, places, confidence, ("ham", "spam"))
        return auto_batch_give(project=project, run_number=3, threshold=FOUND, given=given, at=NOON, seed=1)

    return label


def audited(project: Project, by, at=NOON) -> list:
    """The audits of one person, all of them."""
    project.queue.lane_weights = {"active": 0, "random": 0, "holdout": 0, "audit": 1}
    return assignments_next(QueueRequest(project=project, by=by, count=20, at=at, seed=1))


def test_it_is_off_until_a_manager_turns_it_on(project):
    assert not AutoLabeling(project=project).enabled


def test_what_the_model_labels_leaves_the_queue_and_a_tenth_of_it_comes_back_as_audit(allowed, give):
    batch = give(allowed)

    assert batch.labels == AutoLabel.objects.filter(project=allowed).count() > 300
    assert batch.audits == round(0.1 * batch.labels) == FrontierItem.objects.filter(lane=Lane.AUDIT).count()
    assert not FrontierItem.objects.filter(lane=Lane.ACTIVE).exists()
    frontier_refill(project=allowed, at=NOON, seed=2)
    assert not FrontierItem.objects.filter(lane=Lane.ACTIVE).exists()
    assert Label.objects.count() == 0
    assert "labeled" in Event.objects.first().sentence


def test_the_holdout_lanes_of_chance_and_what_somebody_holds_are_left_to_people(allowed, give, ada):
    held = assignments_next(QueueRequest(project=allowed, by=ada, count=5, at=NOON, seed=1))
    FrontierItem.objects.filter(lane=Lane.HOLDOUT, leased_until=None).delete()  # even where nothing of it waits
    every = list(Example.objects.filter(project=allowed).values_list("pk", flat=True))
    batch = give(allowed, every)

    mine = set(batch.given.values_list("example_id", flat=True))
    assert not mine & {x.example_id for x in held}
    assert not mine & set(Example.objects.filter(holdout=True).values_list("pk", flat=True))
    assert not mine & set(FrontierItem.objects.filter(lane=Lane.RANDOM).values_list("example_id", flat=True))
    assert len(mine) > 300


def test_nothing_open_makes_no_batch(allowed, give):
    assert give(allowed) is not None
    assert give(allowed, list(AutoLabel.objects.values_list("example_id", flat=True))) is None
    assert AutoBatch.objects.count() == 1


def test_an_audit_shows_no_suggestion_and_counts_what_people_say(allowed, give, say, ada):
    give(allowed)
    right, wrong, *_ = audited(allowed, ada)
    assert (right.suggestion, right.lane) == ("", "audit")
    say(right, "ham")
    say(wrong, "spam")

    batch = AutoBatch.objects.get()
    assert (batch.audited, batch.audit_errors, batch.state) == (2, 1, "active")
    assert Label.objects.filter(lane="audit").count() == 2


def test_an_audit_answer_taken_back_is_counted_back(allowed, give, say, ada):
    give(allowed)
    answer = say(audited(allowed, ada)[0], "spam")
    annotation_withdraw(project_id=allowed.pk, client_id=answer.client_id, by=ada, at=NOON)

    assert (AutoBatch.objects.get().audited, AutoBatch.objects.get().audit_errors) == (0, 0)


def test_a_failed_audit_withdraws_the_batch_turns_it_off_and_opens_its_examples(allowed, give, say, ada):
    labels = give(allowed).labels
    for assignment in audited(allowed, ada)[:8]:
        say(assignment, "spam")

    batch, row = AutoBatch.objects.get(), AutoLabeling.objects.get()
    assert (batch.state, row.enabled) == ("withdrawn", False)
    assert "The audit failed" in batch.withdrawn_why and "Turned off" in row.sentence
    assert not AutoLabel.objects.exists()
    frontier_refill(project=allowed, at=LATER, seed=2)
    open_again = FrontierItem.objects.filter(project=allowed, lane=Lane.ACTIVE).count()
    assert open_again > 0.9 * labels
    assert Event.objects.filter(verb="auto_labels.withdrawn").count() == 1
    assert batch.audited < Label.objects.filter(lane="audit").count() == 8  # what people said stays and counts


def test_a_person_withdraws_a_batch_once(allowed, give, mona):
    batch = auto_batch_withdraw(batch=give(allowed), by=mona, at=NOON)
    assert batch.withdrawn_why == "Mona withdrew it."
    with pytest.raises(auto_labels.BatchWithdrawn, match="withdrawn already"):
        auto_batch_withdraw(batch=batch, by=mona, at=NOON)
    assert AutoLabeling.objects.get().enabled


def test_a_withdrawn_batch_has_the_pool_ordered_again(allowed, give, mona, monkeypatch):
    sent = Sent([])
    monkeypatch.setattr("apps.integrations.wiring.jobs", sent)
    batch = give(allowed)
    ids = Example.objects.filter(project=allowed).values_list("pk", flat=True)
    EmbeddingShard.objects.create(
        project=allowed,
        encoder="all-minilm-l6-v2",
        number=1,
        url="file:///none",
        rows=len(ids),
        sha256="",
        created_at=NOON,
    )
    Frontier.objects.filter(project=allowed).update(scored_at=LATER, strategy=allowed.queue.strategy)
    order_check(project=allowed, at=LATER)
    assert sent.jobs == []
    auto_batch_withdraw(batch=batch, by=mona, at=LATER + timedelta(seconds=1))
    order_check(project=allowed, at=LATER + timedelta(seconds=2))
    assert sent.jobs == [("workers.score", (allowed.pk,))]


def test_another_strategy_has_the_pool_ordered_again_but_a_cold_start_waits_for_its_model(allowed, monkeypatch):
    sent = Sent([])
    monkeypatch.setattr("apps.integrations.wiring.jobs", sent)
    rows = Example.objects.filter(project=allowed).count()
    EmbeddingShard.objects.create(
        project=allowed, encoder="all-minilm-l6-v2", number=1, url="file:///none", rows=rows, sha256="", created_at=NOON
    )
    for strategy, asked in ((allowed.queue.strategy, 0), ("typicality", 0), ("entropy", 1)):
        Frontier.objects.filter(project=allowed).update(scored_at=LATER, strategy=strategy)
        order_check(project=allowed, at=LATER)
        assert len(sent.jobs) == asked, strategy


def test_what_a_person_labels_anyway_is_the_persons(allowed, give, ada, say):
    held = assignments_next(QueueRequest(project=allowed, by=ada, count=1, at=NOON, seed=1))[0]
    AutoLabel.objects.create(
        example=held.example, project=allowed, batch=give(allowed), label=allowed.labels.first(), confidence=0.99
    )
    say(held, "spam")
    assert not AutoLabel.objects.filter(example=held.example).exists()


def test_the_models_labels_are_counted_apart(allowed, give, ada):
    batch = give(allowed)
    counts = counts_of(allowed)
    assert (counts.labeled, counts.auto_labeled) == (0, batch.labels - batch.audits)
    FrontierItem.objects.all().delete()
    assert "All done" not in why_empty(allowed, ada, NOON).title


@pytest.mark.parametrize(
    "wrong", [{"target_precision": 0.5}, {"target_precision": 1.0}, {"audit_share": 0}, {"audit_share": 1.5}]
)
def test_settings_that_promise_nothing_are_refused_and_change_nothing(project, mona, wrong):
    given = {"enabled": True, "target_precision": 0.99, "audit_share": 0.05, **wrong}
    with pytest.raises(Invalid):
        auto_labeling_set(project=project, by=mona, at=NOON, **given)
    assert not AutoLabeling.objects.exists()

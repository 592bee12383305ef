"""One ordering of the pool at a time: the newest wins, each part counts once, and what got lost is sent again."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from apps.datasets.models import Example
from apps.integrations.ports import Unavailable
from apps.labeling.models import (
    AutoBatch,
    AutoLabel,
    Frontier,
    FrontierItem,
    Label,
    Lane,
    ScoringPart,
    ScoringPass,
    ScoringState,
    SetAside,
)
from apps.labeling.services.frontier import (
    Origin,
    Scored,
    closed_ids,
    frontier_refill,
    frontier_swap,
    open_count,
    open_ids,
)
from apps.labeling.services.scoring import (
    PASS_SILENT,
    PartPlan,
    scoring_fail,
    scoring_finish,
    scoring_open,
    scoring_part_done,
    scoring_part_open,
    scoring_silent,
)
from apps.loop import services as loop
from apps.projects.models import Project
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
Open = Callable[..., ScoringPass | None]
TWO = (PartPlan(shards=(1,)), PartPlan(shards=(2,)))
LATER = NOON + timedelta(minutes=6)  # a part is silent by then


@pytest.fixture
def examples(project: Project) -> list[Example]:
    return Example.objects.bulk_create(
        [
            Example(
                project=project,
                external_id=f"e{i}",
                fields={"text": f"text {i}"},
                holdout=i >= 8,
                collected_at=NOON,
                ingested_at=NOON,
            )
            for i in range(10)
        ]
    )


@pytest.fixture
def opened(project: Project) -> Open:
    def make(run_number: int | None = 1, *, parts=(), newest: int = 10, at=NOON) -> ScoringPass | None:
        return scoring_open(
            project=project,
            run_number=run_number,
            strategy="margin",
            encoder="e",
            seed=1,
            newest_example=newest,
            sentence="",
            parts=parts,
            at=at,
        )

    return make


def picks(examples: list[Example], *places: int) -> list[Scored]:
    return [Scored(examples[i].pk, {"strategy": "margin"}) for i in places]


def active(project: Project) -> list[str]:
    items = FrontierItem.objects.filter(project=project, lane=Lane.ACTIVE).order_by("rank")
    return list(items.values_list("example__external_id", flat=True))


def done(part: ScoringPart) -> bool:
    return scoring_part_done(part=part, url=f"u{part.number}", scored=4, unusable=0, seconds=1.0, at=NOON)


def test_the_same_ordering_asked_for_twice_is_done_once(opened: Open) -> None:
    assert opened() is not None
    assert opened() is None
    assert ScoringPass.objects.count() == 1


def test_the_same_ordering_is_done_again_where_the_first_one_fell_silent(opened: Open) -> None:
    first = opened()
    assert opened(at=LATER) is not None
    first.refresh_from_db()
    assert first.state == ScoringState.SUPERSEDED


@pytest.mark.parametrize("change", [{"run_number": 2}, {"run_number": None}, {"newest": 11}])
def test_a_newer_ordering_supersedes_the_one_under_way_whose_end_changes_nothing(
    project, examples, opened: Open, change
) -> None:
    old = opened()
    new = opened(**change)
    assert scoring_finish(scoring=new, picks=picks(examples, 1), origin=Origin("margin", 8), at=NOON)
    assert not scoring_finish(scoring=old, picks=picks(examples, 2), origin=Origin("margin", 8), at=NOON)
    assert active(project) == ["e1"]
    assert Frontier.objects.get(project=project).generation == 1


def test_an_ordering_in_parts_is_let_to_its_end_although_examples_came(opened: Open) -> None:
    first = opened(parts=TWO)
    assert opened(newest=11, parts=TWO) is None
    for part in first.parts.all():
        done(part)
    assert opened(newest=11, parts=TWO) is not None


def test_an_ordering_is_finished_once_however_often_its_end_is_delivered(project, examples, opened: Open) -> None:
    scoring = opened()
    origin = Origin(
        "margin", 8, run_number=1, encoder="e", near_duplicates=2, unscored=3, sentence="Why.", seconds={"scan": 0.5}
    )
    assert scoring_finish(scoring=scoring, picks=picks(examples, 3, 1), origin=origin, at=NOON)
    assert not scoring_finish(scoring=scoring, picks=picks(examples, 2), origin=origin, at=LATER)
    assert active(project) == ["e3", "e1"]
    frontier = Frontier.objects.get(project=project)
    assert (frontier.strategy, frontier.run_number, frontier.encoder, frontier.pool_size) == ("margin", 1, "e", 8)
    assert (frontier.near_duplicates, frontier.unscored, frontier.sentence) == (2, 3, "Why.")
    assert (frontier.seconds, frontier.scored_at) == ({"scan": 0.5}, NOON)


def test_only_whoever_finishes_the_last_part_merges(opened: Open) -> None:
    first, second = opened(parts=TWO).parts.all()
    assert not done(second)
    assert done(first)
    assert not done(first)  # delivered twice
    assert scoring_part_open(first.pk) is None


def test_a_part_of_a_superseded_ordering_is_nobodys_business(opened: Open) -> None:
    first, second = opened(parts=TWO).parts.all()
    opened(run_number=2)
    assert scoring_part_open(first.pk) is None
    assert (done(first), done(second)) == (False, False)


def test_a_part_that_nobody_answered_for_is_sent_again_once_in_a_while(opened: Open) -> None:
    first, second = opened(parts=TWO).parts.all()
    done(first)
    assert scoring_silent(at=NOON + timedelta(minutes=4)).part_ids == ()
    assert scoring_silent(at=LATER).part_ids == (second.pk,)
    assert scoring_silent(at=LATER).part_ids == ()


def test_an_ordering_whose_worker_died_is_asked_for_again(project, opened: Open) -> None:
    dead, merging = opened(), None
    assert scoring_silent(at=NOON + PASS_SILENT / 2).project_ids == ()
    assert scoring_silent(at=NOON + PASS_SILENT + timedelta(seconds=1)).project_ids == (project.pk,)
    dead.refresh_from_db()
    assert dead.state == ScoringState.FAILED
    merging = opened(parts=TWO)
    for part in merging.parts.all():
        done(part)  # and the one who was to merge is gone
    assert scoring_silent(at=NOON + PASS_SILENT * 2).project_ids == (project.pk,)


def test_an_ordering_that_waits_for_a_part_is_alive_however_old_it_is(opened: Open) -> None:
    scoring = opened(parts=TWO)
    assert scoring_silent(at=NOON + PASS_SILENT * 2).project_ids == ()
    scoring.refresh_from_db()
    assert scoring.state == ScoringState.OPEN


def test_a_failed_ordering_leaves_the_order_before(project, examples, opened: Open) -> None:
    frontier_swap(project=project, picks=picks(examples, 5), origin=Origin("margin", 8), at=NOON)
    scoring = opened()
    scoring_fail(scoring=scoring, sentence="The model is gone.", at=NOON)
    assert not scoring_finish(scoring=scoring, picks=picks(examples, 2), origin=Origin("margin", 8), at=NOON)
    assert active(project) == ["e5"]


def test_the_sweep_sends_what_is_silent(project, opened: Open, sent) -> None:
    first, second = opened(parts=TWO).parts.all()
    loop.scoring_sweep(at=LATER)
    assert sent.jobs == [("workers.score_part", (first.pk,)), ("workers.score_part", (second.pk,))]


def test_closed_are_those_labeled_set_aside_or_labeled_by_the_model(project, examples) -> None:
    label = project.labels.first()
    Label.objects.create(
        project=project,
        example=examples[2],
        label=label,
        source="consensus",
        holdout=False,
        shown_at=NOON,
        resolved_at=NOON,
    )
    SetAside.objects.create(project=project, example=examples[0], reason="unclear", at=NOON)
    batch = AutoBatch.objects.create(
        project=project,
        number=1,
        run_number=1,
        target_precision=0.99,
        threshold=0.9,
        holdout_rows=9,
        holdout_errors=0,
        precision_low=0.99,
        at=NOON,
    )
    AutoLabel.objects.create(project=project, example=examples[5], batch=batch, label=label, confidence=0.99)
    ids = [e.pk for e in examples]
    assert closed_ids(project.pk).tolist() == [ids[0], ids[2], ids[5]]
    assert open_count(project.pk) == 5
    assert open_ids(project.pk, first=ids[1], last=ids[6]).tolist() == [ids[1], ids[3], ids[4], ids[6]]
    assert closed_ids(project.pk).dtype == np.int64

    frontier_swap(project=project, picks=picks(examples, 5, 2, 0, 1), origin=Origin("margin", 5), at=NOON)
    assert active(project) == ["e1"]  # the others are settled by now


def test_an_audit_slot_is_neither_swapped_nor_displaced_nor_counted_as_open(project, examples) -> None:
    batch = AutoBatch.objects.create(
        project=project,
        number=1,
        run_number=1,
        target_precision=0.99,
        threshold=0.9,
        holdout_rows=9,
        holdout_errors=0,
        precision_low=0.99,
        at=NOON,
    )
    label = project.labels.first()
    AutoLabel.objects.create(
        project=project, example=examples[5], batch=batch, label=label, confidence=0.99, audit=True
    )
    item = FrontierItem.objects.create(
        project=project, example=examples[5], slot=0, lane=Lane.AUDIT, rank=1, queued_at=NOON
    )
    frontier_swap(project=project, picks=picks(examples, 5, 1), origin=Origin("margin", 7), at=NOON)
    frontier_refill(project=project, at=NOON, seed=1, redraw=True)
    assert FrontierItem.objects.get(example=examples[5]) == item
    assert FrontierItem.objects.get(example=examples[5]).lane == Lane.AUDIT


def test_a_cold_start_order_is_not_drawn_over_when_examples_come(project, examples, monkeypatch) -> None:
    monkeypatch.setattr("apps.labeling.services.frontier.RANDOM_LEAST", 1)
    origin = Origin("typicality", 8, run_number=None)
    frontier_swap(project=project, picks=picks(examples, 6, 4, 7), origin=origin, at=NOON)
    before = set(active(project))
    frontier_refill(project=project, at=NOON, seed=1, redraw=True)
    assert set(active(project)) <= before  # the random lane may have taken one
    assert len(active(project)) >= 2


@pytest.fixture
def sent(monkeypatch):
    from apps.integrations import wiring
    from tests.rows import Sent

    found = Sent([])
    monkeypatch.setattr(wiring, "jobs", found)
    return found


def test_without_redis_the_rows_wait(project, opened: Open, sent) -> None:
    opened(parts=TWO)
    sent.away = True
    loop.scoring_sweep(at=LATER)  # raises nothing
    with pytest.raises(Unavailable):
        sent.send("x", args=(), queue="y")
    assert ScoringPart.objects.filter(done_at=None).count() == 2

"""The queue's order, from vectors and models of real runs: whole, in parts, and with no model at all."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.datasets.models import Example
from apps.integrations import wiring
from apps.labeling.models import FrontierItem, Lane, QueueSettings, ScoringPart, ScoringPass, ScoringState
from apps.loop import services as loop
from apps.projects.models import Project
from apps.rules import acquisition
from apps.training.models import Run
from apps.work.names import Job
from tests.workers.at_once import JobsAtOnce
from tests.workers.mail import HASHED, frontier, order, pool_of, texts, waiting_elsewhere
from workers.tasks import score as score_module
from workers.tasks.bundles import bundle_at
from workers.tasks.score import score, score_part

pytestmark = pytest.mark.django_db(transaction=True)


def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_module, "WHOLE", 10)
    monkeypatch.setattr(score_module, "PART_ROWS", 60)
    monkeypatch.setattr(score_module, "PART_PAYLOADS", 90)


def test_without_any_model_the_typical_ones_come_first_as_soon_as_vectors_are_there(mail: Project) -> None:
    found = frontier(mail)
    assert (found.strategy, found.run_number, found.encoder) == (acquisition.START, None, HASHED)
    assert found.sentence == "No model has been trained yet."
    assert found.scored_at is not None
    assert set(found.seconds) >= {"scan", "merge", "gather", "choose"}
    first = FrontierItem.objects.filter(project=mail, lane=Lane.ACTIVE).order_by("rank").first()
    assert first.reason == {"strategy": acquisition.START}
    assert set(order(mail)) == pool_of(mail) - waiting_elsewhere(mail)


def test_a_pool_smaller_than_wanted_is_ordered_whole_by_the_model(trained: Project) -> None:
    found = frontier(trained)
    assert (found.strategy, found.run_number, found.unscored) == (trained.queue.strategy, 1, 0)
    assert found.pool_size == len(pool_of(trained))
    assert set(order(trained)) == pool_of(trained) - waiting_elsewhere(trained)
    item = FrontierItem.objects.filter(project=trained, lane=Lane.ACTIVE).order_by("rank").first()
    assert item.reason["suggestion"] in ("ham", "spam")
    assert item.run_number == 1


def test_every_strategy_orders_the_whole_pool_and_suggests(trained: Project) -> None:
    for strategy in acquisition.STRATEGIES:
        QueueSettings.objects.filter(project=trained).update(strategy=strategy)
        score(trained.pk)
        assert frontier(trained).strategy == strategy
        assert set(order(trained)) == pool_of(trained) - waiting_elsewhere(trained), strategy
        suggested = FrontierItem.objects.filter(project=trained, lane=Lane.ACTIVE, reason__has_key="suggestion")
        assert suggested.exists(), strategy


def test_parts_that_are_merged_give_the_order_of_a_single_scoring(
    trained: Project, jobs: JobsAtOnce, monkeypatch
) -> None:
    for strategy in ("margin-clusters", "margin", "bald", "class-quota", "typicality"):
        QueueSettings.objects.filter(project=trained).update(strategy=strategy)
        score(trained.pk)
        whole, before = order(trained), frontier(trained)
        jobs.sent.clear()
        with monkeypatch.context() as small:
            in_parts(small)
            score(trained.pk)
        assert [name for name, _ in jobs.sent].count(Job.SCORE_PART) == 3
        after = frontier(trained)
        assert order(trained) == whole, strategy
        assert after.generation == before.generation + 1
        assert (after.pool_size, after.unscored) == (before.pool_size, before.unscored)
        assert after.near_duplicates == before.near_duplicates
        assert list(wiring.storage().listed("scoring")) == []  # the candidates' files are gone


@pytest.mark.usefixtures("brief")
def test_images_are_scored_in_parts_by_their_bytes(digits: Project, jobs: JobsAtOnce, monkeypatch) -> None:
    loop.run_start_now(project=digits, kind="full", by=None, at=timezone.now())
    whole = order(digits)
    assert len(whole) > 50
    in_parts(monkeypatch)
    score(digits.pk)
    assert ScoringPass.objects.first().parts.count() == 4
    assert order(digits) == whole
    assert frontier(digits).encoder == "thumbnail-16"


def test_a_part_delivered_twice_counts_once(trained: Project, jobs: JobsAtOnce, monkeypatch) -> None:
    in_parts(monkeypatch)
    jobs.held = {Job.SCORE_PART}
    score(trained.pk)
    generation = frontier(trained).generation
    first, second, third = ScoringPart.objects.filter(scoring__state=ScoringState.OPEN)
    for part in (first, first, second, second):
        score_part(part.pk)
    assert frontier(trained).generation == generation
    score_part(third.pk)
    score_part(third.pk)
    assert frontier(trained).generation == generation + 1
    assert ScoringPass.objects.first().state == ScoringState.DONE


def test_a_newer_pass_supersedes_parts_still_on_their_way(trained: Project, jobs, take, monkeypatch) -> None:
    in_parts(monkeypatch)
    jobs.held = {Job.SCORE_PART, Job.EMBED}
    score(trained.pk)
    old = list(ScoringPart.objects.filter(scoring__state=ScoringState.OPEN))
    QueueSettings.objects.filter(project=trained).update(strategy="margin")
    score(trained.pk)
    generation = frontier(trained).generation
    for part in old:
        score_part(part.pk)
    assert frontier(trained).generation == generation
    for part in ScoringPart.objects.filter(scoring__state=ScoringState.OPEN):
        score_part(part.pk)
    assert frontier(trained).generation == generation + 1


def test_scoring_does_not_wait_for_vectors_and_asks_for_them(trained: Project, jobs: JobsAtOnce, take) -> None:
    jobs.held = {Job.EMBED}
    take(trained, texts(2000, 5, labeled=False))
    new = set(
        Example.objects.filter(project=trained, holdout=False, external_id__startswith="t200").values_list(
            "pk", flat=True
        )
    )
    jobs.sent.clear()
    score(trained.pk)
    found = frontier(trained)
    assert found.unscored == len(new) > 0
    assert f"{len(new)} examples of the pool could not be looked at yet." in found.sentence
    assert not new & set(order(trained))
    assert (Job.EMBED, (trained.pk,)) in jobs.sent
    jobs.held = set()
    from workers.tasks.embed import embed

    embed(trained.pk)
    assert frontier(trained).unscored == 0
    assert set(order(trained)) == pool_of(trained) - waiting_elsewhere(trained)


def test_a_project_without_any_vector_is_ordered_by_chance_and_says_so(make_project, jobs: JobsAtOnce, take) -> None:
    project = make_project("text-classification", ("ham", "spam"))
    jobs.held = {Job.EMBED}
    take(project, texts(0, 30, labeled=False))
    score(project.pk)
    found = frontier(project)
    assert "Likeness is not used yet" in found.sentence
    assert set(order(project)) == pool_of(project) - waiting_elsewhere(project)


def test_a_failed_verdict_orders_nothing(trained: Project) -> None:
    run = Run.objects.get(project=trained)
    run.report.outcome = "fail"
    run.report.save(update_fields=["outcome"])
    score(trained.pk)
    assert (frontier(trained).strategy, frontier(trained).run_number) == (acquisition.START, None)


def test_a_model_whose_file_is_gone_leaves_the_queue_to_a_cold_start(trained: Project) -> None:
    wiring.storage().remove(Run.objects.get(project=trained).artifact_url)
    bundle_at.cache_clear()
    score(trained.pk)
    assert (frontier(trained).strategy, frontier(trained).run_number) == (acquisition.START, None)
    assert set(order(trained)) == pool_of(trained) - waiting_elsewhere(trained)


def test_only_the_next_batches_are_chosen_with_care_and_the_lane_is_full_all_the_same(
    trained: Project, monkeypatch
) -> None:
    asked: list[int] = []
    choose = acquisition.choose

    def watched(*args: object, wanted: int, **more: object) -> acquisition.Chosen:
        asked.append(wanted)
        return choose(*args, wanted=wanted, **more)

    monkeypatch.setattr(acquisition, "choose", watched)
    monkeypatch.setattr("workers.tasks.order.batch_of", lambda project: 4)
    score(trained.pk)
    assert asked == [20]
    assert set(order(trained)) == pool_of(trained) - waiting_elsewhere(trained)
    assert len(set(order(trained))) == len(order(trained)) > 20


def test_files_of_parts_that_nobody_merged_are_swept_after_a_day(
    trained: Project, jobs: JobsAtOnce, monkeypatch
) -> None:
    in_parts(monkeypatch)
    jobs.held = {Job.SCORE_PART}
    score(trained.pk)
    score_part(ScoringPart.objects.filter(scoring__state=ScoringState.OPEN)[0].pk)
    assert len(list(wiring.storage().listed("scoring"))) == 1
    loop.candidates_sweep(at=timezone.now())
    assert len(list(wiring.storage().listed("scoring"))) == 1
    loop.candidates_sweep(at=timezone.now() + timedelta(days=2))
    assert list(wiring.storage().listed("scoring")) == []

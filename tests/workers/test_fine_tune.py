"""A fine-tune through the worker: its model, its encoder's vectors, and the runs after it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.evaluation.models import Report
from apps.features.models import EmbeddingShard
from apps.features.selectors import encoder_named
from apps.integrations import wiring
from apps.labeling.models import Label
from apps.loop import services as loop
from apps.loop.services.encoders import encoder_wanted, encoders_needed
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.rules.encoders import tuned_name
from apps.training.models import Run, RunState
from apps.training.services.runs import run_start
from apps.work.names import Job
from tests.workers.at_once import JobsAtOnce
from tests.workers.mail import HASHED, MINILM, frontier, order, pool_of, texts, waiting_elsewhere
from workers.encoders import encoder_ready
from workers.tasks import relay
from workers.tasks.bundles import bundle_at
from workers.tasks.train import train
from workers.training.encoders import encoder as encoders
from workers.training.encoders.encoder import encoder

pytestmark = pytest.mark.django_db(transaction=True)
SMALL = {"encoder_layers": 1, "epochs": 2, "batch_size": 16, "hidden": 16, "lora_rank": 4, "report_every_s": 0.0}
Tuned = Callable[..., Run]


@pytest.fixture
def letters(mail: Project, take: Callable[..., None]) -> Project:
    """The mail of two kinds, 80 of it labeled, none of it trained on."""
    take(mail, texts(1000, 80, labeled=True))
    return mail


@pytest.fixture
def tuned(letters: Project, lin: User) -> Tuned:
    def run(project: Project = letters, **settings: Any) -> Run:
        made = run_start(
            project=project,
            kind="fine-tune",
            trigger="Lin asked for it.",
            base_run=None,
            by=lin,
            at=timezone.now(),
            recipe={**SMALL, **settings},
        )
        made.refresh_from_db()
        return made

    return run


def promoted(run: Run, by: User) -> ModelVersion:
    assert run.state == RunState.COMPLETED, run.error
    version = ModelVersion.objects.get(run=run)
    model_promote(version=version, reason="Its letters are told apart well.", by=by, at=timezone.now())
    return version


def forget() -> None:
    """As in a process that has just begun."""
    encoders._known.clear()
    encoders._made.clear()
    bundle_at.cache_clear()


def test_a_fine_tune_is_judged_on_vectors_of_its_own_encoder_and_orders_the_pool_by_them(
    letters: Project, tuned: Tuned
) -> None:
    run = tuned()
    assert run.state == RunState.COMPLETED, run.error
    assert run.recipe["encoder"] == tuned_name(run.pk)
    report = Report.objects.get(run=run)
    assert report.metrics["accuracy"]["value"] > 0.9
    embedded = EmbeddingShard.objects.filter(project=letters, encoder=tuned_name(run.pk))
    assert sum(shard.rows for shard in embedded) == Example.objects.filter(project=letters).count()
    assert frontier(letters).run_number == run.number
    assert set(order(letters)) == pool_of(letters) - waiting_elsewhere(letters)


def test_a_fine_tune_measures_its_throughput(tuned: Tuned) -> None:
    run = tuned()
    assert run.measured["tokens_per_s"] > run.measured["samples_per_s"] > 0
    assert (run.measured["world_size"], run.measured["micro_batch"], run.measured["peak_share"]) == (1, 16, None)
    assert run.measured["project_encoder"] == HASHED
    assert {"peft", "transformers"} <= set(run.packages)


def test_runs_after_a_promoted_fine_tune_read_the_vectors_of_its_encoder(
    letters: Project, tuned: Tuned, lin: User, take: Callable[..., None]
) -> None:
    first = tuned()
    assert encoder_wanted(letters) == HASHED  # until somebody promotes it
    promoted(first, lin)
    assert encoder_wanted(letters) == tuned_name(first.pk)
    take(letters, texts(2000, 20, labeled=True))
    forget()
    second = loop.run_start_now(project=letters, kind="incremental", by=lin, at=timezone.now())
    second.refresh_from_db()
    assert (second.state, second.kind, second.base_run_id) == (RunState.COMPLETED, "incremental", first.pk)
    assert second.recipe["encoder"] == tuned_name(first.pk)
    bundle = bundle_at(second.artifact_url)
    assert (bundle.encoder, bundle.tuned) == (tuned_name(first.pk), None)  # the weights stand in one file alone
    third = loop.run_start_now(project=letters, kind="full", by=lin, at=timezone.now())
    third.refresh_from_db()
    assert (third.state, third.recipe["encoder"]) == (RunState.COMPLETED, tuned_name(first.pk))
    assert Report.objects.get(run=third).metrics["accuracy"]["value"] > 0.9


def test_a_fine_tune_that_nobody_promotes_changes_no_later_run(letters: Project, tuned: Tuned, lin: User) -> None:
    tuned()
    run = loop.run_start_now(project=letters, kind="full", by=lin, at=timezone.now())
    run.refresh_from_db()
    assert (run.state, run.recipe["encoder"]) == (RunState.COMPLETED, HASHED)


def test_a_person_who_chooses_another_encoder_has_the_last_word(letters: Project, tuned: Tuned, lin: User) -> None:
    promoted(tuned(), lin)
    letters.queue.encoder = MINILM
    letters.queue.save(update_fields=["encoder"])
    assert encoder_wanted(letters) == MINILM


def test_vectors_of_a_champions_encoder_are_kept_and_of_one_in_the_making_not_asked_for(
    letters: Project, tuned: Tuned, lin: User, jobs: JobsAtOnce
) -> None:
    run = tuned()
    promoted(run, lin)
    loop.vectors_sweep(at=timezone.now())
    assert encoders_needed(letters) == [tuned_name(run.pk), HASHED]
    assert EmbeddingShard.objects.filter(project=letters, encoder=tuned_name(run.pk)).exists()
    jobs.held.add(Job.TRAIN)
    under_way = tuned()
    Run.objects.filter(pk=under_way.pk).update(recipe={"encoder": tuned_name(under_way.pk)})
    assert tuned_name(under_way.pk) not in encoders_needed(letters)


def test_a_process_finds_a_tuned_encoder_by_its_row(tuned: Tuned) -> None:
    run = tuned()
    expected = encoder(tuned_name(run.pk)).encode(["win a prize"])
    forget()
    assert np.array_equal(encoder_ready(tuned_name(run.pk)).encode(["win a prize"]), expected)
    row = encoder_named(tuned_name(run.pk))
    assert row is not None and (row.url, row.run_id, row.dim) == (run.artifact_url, run.pk, 384)


def test_a_worker_refuses_to_fine_tune_images_in_words(digits: Project, lin: User, jobs: JobsAtOnce) -> None:
    jobs.held.add(Job.TRAIN)
    run = loop.run_start_now(project=digits, kind="full", by=lin, at=timezone.now())
    Run.objects.filter(pk=run.pk).update(kind="fine-tune")  # as a program would that knows no forms
    train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error == (
        "Fine-tuning changes the encoder of texts, and image-classification has none that learns. Train in full instead."
    )
    assert run.traceback == ""


def test_a_killed_fine_tune_goes_on_from_its_checkpoint_with_the_same_weights(
    tuned: Tuned, jobs: JobsAtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(run: Run, blob: bytes) -> None:
        keep(run, blob)
        if run.step >= 3:
            raise Killed

    whole, keep = tuned(checkpoint_every_s=0.0), relay.checkpoint_keep
    jobs.held.add(Job.TRAIN)
    run = tuned(checkpoint_every_s=0.0)
    with monkeypatch.context() as patch:
        patch.setattr(relay, "checkpoint_keep", die)
        with pytest.raises(Killed):
            train(run.pk)
    Run.objects.filter(pk=run.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    train(run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempts) == (RunState.COMPLETED, 2)
    one, other = bundle_at(whole.artifact_url), bundle_at(run.artifact_url)
    assert one.tuned is not None and other.tuned is not None
    assert all(value.equal(other.tuned.tensors[name]) for name, value in one.tuned.tensors.items())


def test_two_processes_tune_together_when_the_settings_ask(tuned: Tuned, settings: Any, tmp_path: Any) -> None:
    settings.TRAIN_PROCESSES, settings.TRAIN_FOLDER = 2, str(tmp_path / "launches")
    run = tuned(epochs=1)
    assert run.state == RunState.COMPLETED, (run.error, run.traceback)
    assert (run.devices, run.measured["world_size"], run.measured["micro_batch"]) == (2, 2, 8)
    assert run.points.count() > 1
    assert run.device_s == pytest.approx(2 * run.took_s, rel=0.05)
    assert list((tmp_path / "launches").iterdir()) == []
    assert wiring.storage().read(run.artifact_url)
    assert Label.objects.filter(project=run.project, holdout=False, first_run_number=None).count() == 0

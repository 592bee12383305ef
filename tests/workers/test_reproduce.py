"""A run trained again: the same weights to the last bit, no candidate, and every difference told."""

import io
from dataclasses import replace

import pytest
import torch
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from apps.datasets.models import DatasetVersion
from apps.errors import NotFound
from apps.evaluation.models import Report
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.models import Label
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.training.models import Run, RunKind, RunState, RunTrigger
from apps.training.services.reproductions import NotReproducible, run_named, run_reproduce
from apps.training.services.runs import run_start
from apps.work.names import Job
from tests.rows import labeled
from tests.rows import trained as completed
from tests.workers.at_once import JobsAtOnce
from workers.tasks import evaluate
from workers.tasks.bundles import bundle_at
from workers.tasks.reproduce import weights_equal
from workers.training.encoders.tuned import Tuned
from workers.training.models.bundle import dump

pytestmark = pytest.mark.django_db(transaction=True)


def trained(project: Project, seed: int) -> Run:
    """Two epochs are enough to tell weights apart."""
    run = run_start(
        project=project,
        kind="full",
        trigger="Lin asked for it.",
        base_run=None,
        by=None,
        at=timezone.now(),
        seed=seed,
        recipe={"epochs": 2, "least_steps": 0},
    )
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED, run.error
    return run


@pytest.fixture
def original(digits: Project, jobs: JobsAtOnce) -> Run:
    jobs.held |= {Job.SCORE, Job.MEASURE}
    return trained(digits, seed=3)


def repeated(original: Run) -> Run:
    run = run_reproduce(run=original, by=None, at=timezone.now())
    run.refresh_from_db()
    return run


def command(*words: str) -> tuple[int, str]:
    out, status = io.StringIO(), 0
    try:
        call_command("reproduce", *words, stdout=out)
    except SystemExit as end:
        status = int(str(end.code))
    return status, out.getvalue()


def test_a_run_repeated_gives_the_same_weights_and_becomes_no_model(original: Run) -> None:
    run = repeated(original)
    assert (run.state, run.trigger_type, run.seed) == (RunState.COMPLETED, RunTrigger.REPRODUCED, 3)
    assert run.dataset_version == original.dataset_version
    assert run.weights_digest == original.weights_digest != ""
    assert run.comparison is not None
    holdout = original.dataset_version.holdout_rows if original.dataset_version else 0
    assert run.comparison["weights_equal"] is True
    assert run.comparison["predictions"] == {"rows": holdout, "equal": holdout, "largest_difference": 0.0}
    assert run.comparison["packages"] == run.comparison["recipe"] == {}
    assert not ModelVersion.objects.filter(run=run).exists()
    assert not Report.objects.filter(run=run).exists()


def test_labels_that_came_meanwhile_do_not_change_what_is_repeated(original: Run, digits: Project) -> None:
    labels = list(digits.labels.all())
    for label in Label.objects.filter(project=digits, holdout=False)[:50]:
        other = next(x for x in labels if x.pk != label.label_id)
        Label.objects.filter(pk=label.pk).update(label=other, first_run_number=None)
    run = repeated(original)
    assert run.comparison is not None
    assert run.comparison["weights_equal"] is True
    assert DatasetVersion.objects.filter(project=digits).count() == 1
    assert Label.objects.filter(project=digits, first_run_number=None, holdout=False).count() == 50


def test_other_weights_are_told_with_how_far_apart_the_answers_are(original: Run, digits: Project) -> None:
    other = trained(digits, seed=99)
    Run.objects.filter(pk=original.pk).update(
        artifact_url=other.artifact_url, weights_digest="", code_version="old", packages={"torch": "1.0"}
    )
    original.refresh_from_db()
    run = repeated(original)
    assert run.comparison is not None
    assert run.comparison["weights_equal"] is False
    assert run.comparison["original_digest"] == other.weights_digest
    assert run.comparison["predictions"]["largest_difference"] > 0
    assert run.comparison["packages"]["torch"] == ["1.0", run.packages["torch"]]
    assert run.comparison["original_code_version"] == "old"


def test_one_changed_bit_is_other_weights(original: Run) -> None:
    bundle = bundle_at(original.artifact_url)
    bundle_at.cache_clear()
    weight = next(iter(bundle.module.parameters())).data.view(-1)
    weight[0] += 1e-6 if weight[0] == 0 else weight[0] * 1e-6
    url = wiring.storage().write("models/changed.safetensors", dump(bundle))
    Run.objects.filter(pk=original.pk).update(artifact_url=url)
    original.refresh_from_db()
    run = repeated(original)
    assert run.comparison is not None
    assert run.comparison["weights_equal"] is False


def test_a_lost_model_file_is_told_and_the_digests_decide(original: Run) -> None:
    wiring.storage().remove(original.artifact_url)
    run = repeated(original)
    assert run.comparison is not None
    assert run.comparison["unreadable"] == [original.number]
    assert (run.comparison["weights_equal"], run.comparison["predictions"]) == (True, None)


def test_where_the_answers_cannot_be_had_the_weights_are_compared_all_the_same(
    original: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **more: object) -> None:
        raise Unavailable("The vectors are gone.")

    monkeypatch.setattr("workers.tasks.reproduce.rows_of", away)
    run = repeated(original)
    assert run.comparison is not None
    assert (run.comparison["weights_equal"], run.comparison["predictions"]) == (True, None)


def test_a_repetition_whose_worker_died_before_comparing_is_compared_by_the_judges_job(original: Run) -> None:
    run = repeated(original)
    Run.objects.filter(pk=run.pk).update(comparison=None)
    evaluate.evaluate(run.pk)
    run.refresh_from_db()
    assert run.comparison is not None
    assert run.comparison["weights_equal"] is True
    assert not ModelVersion.objects.filter(run=run).exists()


@pytest.fixture
def waiting(project: Project, jobs: JobsAtOnce) -> Run:
    """A completed run as rows alone, and workers that take nothing."""
    jobs.held |= {Job.TRAIN}
    labeled(project)
    return completed(project)


def test_a_repetition_of_a_repetition_goes_back_to_the_original(waiting: Run) -> None:
    again = repeated(repeated(waiting))
    assert (again.number, again.reproduces, again.base_run) == (3, waiting, waiting.base_run)


def test_what_did_not_complete_or_lost_its_version_cannot_be_repeated(waiting: Run) -> None:
    Run.objects.filter(pk=waiting.pk).update(state=RunState.FAILED)
    with pytest.raises(NotReproducible, match="only a completed run"):
        repeated(Run.objects.get(pk=waiting.pk))
    Run.objects.filter(pk=waiting.pk).update(state=RunState.COMPLETED, kind=RunKind.ONLINE)
    with pytest.raises(NotReproducible, match="no beginning to repeat"):
        repeated(Run.objects.get(pk=waiting.pk))
    Run.objects.filter(pk=waiting.pk).update(kind=RunKind.FULL)
    DatasetVersion.objects.update(dropped_at=timezone.now())
    with pytest.raises(NotReproducible, match="data version 1, which the project’s policy dropped"):
        repeated(Run.objects.get(pk=waiting.pk))
    assert Run.objects.count() == 1


def test_the_command_says_what_is_the_same_and_ends_with_nought(original: Run) -> None:
    status, said = command(f"{original.project.slug}/{original.number}")
    assert status == 0
    assert "Run 2 of digits repeats run 1." in said
    assert f"weights       the same ({original.weights_digest[:16]})" in said
    assert "packages      the same" in said


def test_the_command_ends_with_one_where_the_weights_differ(original: Run, digits: Project) -> None:
    other = trained(digits, seed=99)
    Run.objects.filter(pk=original.pk).update(artifact_url=other.artifact_url)
    status, said = command(str(original.pk))
    assert status == 1
    assert f"{other.weights_digest[:16]} then, {original.weights_digest[:16]} now" in said


def test_the_command_says_when_no_worker_takes_the_run(waiting: Run) -> None:
    with pytest.raises(CommandError, match=r"No worker took run 2 within 0 s\. It stays queued") as refused:
        command(str(waiting.number), "--project", waiting.project.slug, "--wait", "0")
    assert refused.value.returncode == 2
    assert Run.objects.get(number=2).state == RunState.QUEUED


def test_the_command_says_why_the_repetition_ended_without_a_model(
    waiting: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(**given: object) -> Run:
        run = run_reproduce(**given)  # type: ignore[arg-type]
        Run.objects.filter(pk=run.pk).update(state=RunState.FAILED, error="Row 3 cannot be read.")
        return run

    monkeypatch.setattr("apps.cases.management.commands.reproduce.run_reproduce", failed)
    with pytest.raises(CommandError, match=r"Run 2 ended without a model: Row 3 cannot be read\.") as refused:
        command(f"{waiting.project.slug}/1")
    assert refused.value.returncode == 2


@pytest.mark.parametrize("words", ["nonsense", "digits/x", "digits/99", "12345678", "no-such/1", "9999999999999999999"])
def test_a_run_that_is_not_there_is_said_in_words(project: Project, words: str) -> None:
    with pytest.raises(NotFound, match=r"names no run|There is no run"):
        run_named(words)


@pytest.fixture(autouse=True)
def bundles_forgotten() -> None:
    bundle_at.cache_clear()


def test_a_tuned_encoder_that_came_out_otherwise_is_other_weights(original: Run) -> None:
    bundle = bundle_at(original.artifact_url)
    tuned = [
        replace(bundle, tuned=Tuned("all-minilm-l6-v2+run-1", 6, 256, 1.0, {"x.down": torch.full((2, 2), value)}))
        for value in (1.0, 1.0, 1.5)
    ]
    assert weights_equal(tuned[0], tuned[1])
    assert not weights_equal(tuned[0], tuned[2])
    assert not weights_equal(tuned[0], bundle)

"""What a run is given that cannot be trained on, or hardly: it ends in a sentence, and the champion stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import ExampleBlob
from apps.datasets.versions import version_write
from apps.evaluation.models import Report
from apps.integrations import wiring
from apps.labeling.lineage import labels_now
from apps.labeling.models import Label
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.selectors import champion_of
from apps.releases.services import model_promote
from apps.training.models import Run, RunState
from apps.training.services.runs import run_start
from apps.work.names import Job
from tests.workers.at_once import JobsAtOnce
from tests.workers.conftest import DIGITS
from workers.tasks.bundles import bundle_at
from workers.tasks.train import train

pytestmark = pytest.mark.django_db(transaction=True)
Asked = Callable[..., Run]


@pytest.fixture
def asked(digits: Project, lin: User, jobs: JobsAtOnce) -> Asked:
    """A run as a program could start it, whatever a form would have refused; it is trained after `before` has happened."""

    def made(kind: str = "full", before: Callable[[], Any] = lambda: None, **more: Any) -> Run:
        jobs.held.add(Job.TRAIN)
        run = run_start(
            project=more.pop("project", digits),
            kind=kind,
            trigger="Lin asked for it.",
            base_run=more.pop("base_run", None),
            by=lin,
            at=timezone.now(),
            **more,
        )
        before()
        train(run.pk)
        run.refresh_from_db()
        return run

    return made


def refused(run: Run, sentence: str) -> None:
    """In words alone: no traceback, no model."""
    assert (run.state, run.traceback, run.artifact_url) == (RunState.FAILED, "", "")
    assert run.error == sentence
    assert not ModelVersion.objects.filter(run=run).exists()


@pytest.fixture
def champion(digits: Project, asked: Asked, lin: User) -> ModelVersion:
    version = ModelVersion.objects.get(run=asked())
    model_promote(version=version, reason="It is the first model of these tests.", by=lin, at=timezone.now())
    return version


def test_an_empty_version_is_refused_and_the_champion_stays(
    digits: Project, asked: Asked, champion: ModelVersion
) -> None:
    empty = version_write(project_id=digits.pk, rows=[], at=timezone.now())
    refused(asked(dataset_version=empty), "There is no labeled example to train on.")
    assert champion_of(digits) == champion


def test_labels_that_are_withdrawn_before_the_worker_comes_are_no_bug(digits: Project, asked: Asked) -> None:
    run = asked(before=Label.objects.filter(project=digits).delete)
    refused(run, "There is no labeled example to train on.")


def test_one_class_is_refused(digits: Project, asked: Asked) -> None:
    run = asked(before=Label.objects.filter(project=digits).exclude(label__name="3").delete)
    refused(run, f"All {run.labels} examples are labeled '3'. Training needs two labels.")
    assert run.labels > 10


def test_a_class_that_vanished_keeps_its_place_and_the_log_says_so(
    digits: Project, asked: Asked, champion: ModelVersion
) -> None:
    Label.objects.filter(project=digits, label__name="3").delete()
    run = asked()
    assert run.state == RunState.COMPLETED, run.error
    assert tuple(run.label_names) == bundle_at(run.artifact_url).labels == DIGITS
    assert run.lines.filter(text__startswith="no example to train on is labeled 3; the model keeps").count() == 1
    assert Report.objects.get(run=run).metrics["accuracy"]["value"] > 0.8


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ({"lr": 0.1}, "A recipe has no setting called lr. Known: "),
        ({"epochs": 10**9}, "epochs must lie between 1 and 1000, not 1e+09."),
        ({"learning_rate": "fast"}, "learning_rate must be a number, not 'fast'."),
        ({"batch_size": -1}, "batch_size must lie between 1 and 65536, not -1."),
        ({"hidden": 10**7}, "hidden must lie between 0 and 4096, not 1e+07."),
    ],
)
def test_a_recipe_that_nobody_can_train_with_is_refused_by_its_setting(
    asked: Asked, recipe: dict[str, Any], sentence: str
) -> None:
    run = asked(recipe=recipe)
    assert (run.state, run.traceback, run.artifact_url) == (RunState.FAILED, "", "")
    assert run.error.startswith(sentence)


def test_an_encoder_that_no_run_made_is_refused(make_project: Callable[..., Project], take: Any, asked: Asked) -> None:
    project = make_project("text-classification", ("ham", "spam"), name="Letters")
    take(project, [{"id": f"t{i}", "text": f"letter {i}", "label": ("ham", "spam")[i % 2]} for i in range(40)])
    run = asked(project=project, recipe={"encoder": "all-minilm-l6-v2+run-999999"})
    refused(run, "No encoder is called 'all-minilm-l6-v2+run-999999'.")


def test_a_base_whose_label_has_another_name_by_now_teaches_the_others(
    digits: Project, asked: Asked, champion: ModelVersion
) -> None:
    digits.labels.filter(name="3").update(name="three")
    run = asked("incremental", base_run=champion.run)
    assert run.state == RunState.COMPLETED, run.error
    labels = bundle_at(run.artifact_url).labels
    assert (labels[3], set(labels) - {"three"}) == ("three", set(DIGITS) - {"3"})
    assert Report.objects.get(run=run).metrics["accuracy"]["value"] > 0.8


def test_a_base_that_lacks_a_label_gets_it(digits: Project, asked: Asked, champion: ModelVersion) -> None:
    digits.labels.create(name="none", color="#112233", hotkey="n", position=10)
    run = asked("incremental", base_run=champion.run)
    assert run.state == RunState.COMPLETED, run.error
    assert bundle_at(run.artifact_url).labels == (*DIGITS, "none")


def test_data_of_an_older_schema_is_refused_by_the_label_that_is_missing(digits: Project, asked: Asked) -> None:
    old = version_write(project_id=digits.pk, rows=labels_now(digits), at=timezone.now())
    digits.labels.filter(name="3").update(name="three")
    refused(
        asked(dataset_version=old),
        "The data names 1 label that the schema does not have: 3. Start a run on the labels as they stand.",
    )


def test_a_base_of_another_task_is_refused(
    digits: Project, asked: Asked, make_project: Callable[..., Project], take: Any
) -> None:
    table = make_project("tabular-classification", ("no", "yes"), name="Table")
    take(table, [{"id": f"r{i}", "age": i, "label": ("no", "yes")[i > 20]} for i in range(40)])
    other = asked(project=table)
    assert other.state == RunState.COMPLETED, other.error
    refused(
        asked("incremental", base_run=other),
        "The model to start from does tabular-classification, this run image-classification.",
    )


def test_a_base_whose_file_is_damaged_or_gone_is_refused(asked: Asked, champion: ModelVersion) -> None:
    wiring.storage().remove(champion.run.artifact_url)
    bundle_at.cache_clear()
    run = asked("incremental", base_run=champion.run)
    assert (run.state, run.traceback) == (RunState.FAILED, "")
    assert run.error.startswith(f"{champion.run.artifact_url} could not be read: ")
    broken = wiring.storage().write("models/broken.safetensors", b"half a model")
    Run.objects.filter(pk=champion.run_id).update(artifact_url=broken)
    champion.run.refresh_from_db()
    run = asked("incremental", base_run=champion.run)
    assert (run.state, run.traceback) == (RunState.FAILED, "")
    assert run.error.startswith("The model file cannot be read: ")


def test_cells_that_are_no_number_are_missing_and_the_table_is_learned(
    make_project: Callable[..., Project], take: Any, asked: Asked
) -> None:
    table = make_project("tabular-classification", ("no", "yes"), name="Table", holdout_share=0.2)
    rows = [
        {"id": f"r{i}", "age": i % 80, "height": "NaN" if i % 3 else 1.7, "label": ("no", "yes")[i % 80 > 40]}
        for i in range(300)
    ]
    take(table, rows)
    run = asked(project=table)
    assert run.state == RunState.COMPLETED, run.error
    assert Report.objects.get(run=run).metrics["accuracy"]["value"] > 0.85


@pytest.mark.parametrize("held", [False, True])
def test_an_image_that_cannot_be_read_is_left_out_and_named(digits: Project, asked: Asked, held: bool) -> None:
    labeled = Label.objects.filter(project=digits, holdout=held).order_by("example_id").first()
    assert labeled is not None
    ExampleBlob.objects.filter(example_id=labeled.example_id).update(content=b"broken")
    run = asked()
    assert (run.state, run.error) == (RunState.COMPLETED, "")
    of = "examples of the holdout" if held else "examples"
    line = f"1 {of} cannot be read and are left out: {labeled.example.external_id}"
    assert list(run.lines.filter(text__contains="cannot be read").values_list("text", flat=True)) == [line]
    assert Report.objects.get(run=run).metrics["accuracy"]["value"] > 0.8

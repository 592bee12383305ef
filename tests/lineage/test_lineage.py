"""From a model back to its data, people, machines, code, recipe, packages and the models before it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.datasets.versions import version_write
from apps.datasets.versions.storing import forget_remembered
from apps.labeling.lineage import labels_now
from apps.labeling.models import Label, LabelSource
from apps.lineage.lineage import Counted, bases_of, lineage_of
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.training.models import Run, RunKind
from tests.api import api_of
from tests.conftest import NOON
from tests.datasets.test_version_pages import answered
from tests.rows import HOUR, labeled, model

As = Callable[[User], Client]


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    forget_remembered()
    yield


@pytest.fixture
def version(project: Project, ada: User, grace: User) -> ModelVersion:
    """Learned from 16 labels: Ada answered two, Grace one of them too after a guess, one was imported."""
    made = labeled(project)
    answered(made[4], ada, "ham")
    answered(made[5], ada, "spam")
    answered(made[5], grace, "spam", slot=1, suggestion="spam", suggestion_source="spam-bert")
    answered(made[0], grace, "ham")  # in the holdout: taught nobody
    Label.objects.filter(example=made[6]).update(source=LabelSource.IMPORTED)
    found = model(project)
    data = version_write(project_id=project.pk, rows=labels_now(project), at=NOON)
    Run.objects.filter(pk=found.run_id).update(
        dataset_version=data, packages={"torch": "2.0"}, code_version="abc", weights_digest="f" * 64, seed=5
    )
    return ModelVersion.objects.get(pk=found.pk)


def test_labels_are_counted_by_source_person_and_machine_without_the_holdout(
    project: Project, version: ModelVersion
) -> None:
    sources = lineage_of(project, version.pk).sources
    assert (sources.rows, sources.holdout_rows, sources.answers) == (16, 4, 3)
    assert sources.by_source == (Counted("Agreed by people", 15), Counted("Came with the example", 1))
    assert sources.by_annotator == (Counted("Ada", 2), Counted("Grace", 1))
    assert sources.by_function == (Counted("spam-bert", 1),)


def test_two_people_of_one_name_are_told_apart(project: Project, version: ModelVersion, grace: User) -> None:
    User.objects.filter(pk=grace.pk).update(display_name="Ada")
    people = lineage_of(project, version.pk).sources.by_annotator
    assert people == (Counted("Ada (ada)", 2), Counted("Ada (grace)", 1))


def test_answers_withdrawn_since_still_stand_behind_the_version(
    project: Project, version: ModelVersion, ada: User
) -> None:
    from apps.labeling.models import Annotation

    Annotation.objects.filter(annotator=ada).update(withdrawn_at=NOON)
    Label.objects.filter(project=project).delete()
    assert lineage_of(project, version.pk).sources.by_annotator[0] == Counted("Ada", 2)


def test_the_page_shows_all_it_takes_to_train_again(
    as_: As, lin: User, project: Project, version: ModelVersion
) -> None:
    page = as_(lin).get(reverse("lineage:lineage", args=[project.pk, version.pk])).text
    for words in (
        "f" * 64,
        "torch",
        "abc",
        "batch_size",
        "spam-bert",
        f"reproduce {project.slug}/{version.run.number}",
    ):
        assert words in page
    assert reverse("datasets:version", args=[project.pk, version.run.dataset_version.number]) in page


def test_a_version_whose_labels_cannot_be_read_says_so_and_keeps_the_rest(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    broken = model(project)  # its data version is a file that does not exist
    page = as_(lin).get(reverse("lineage:lineage", args=[project.pk, broken.pk]))
    assert (page.status_code, "Data version 1 cannot be read" in page.text) == (200, True)
    assert "batch_size" in page.text


def test_the_way_back_ends_at_a_run_from_scratch_and_never_goes_round(project: Project) -> None:
    labeled(project)
    runs: list[Run] = []
    for i in range(4):
        runs.append(model(project, at=NOON + i * HOUR, base=runs[-1] if runs else None).run)
    assert [r.number for r in bases_of(runs[3])] == [3, 2, 1]
    assert runs[1].kind == RunKind.INCREMENTAL
    Run.objects.filter(pk=runs[0].pk).update(base_run=runs[2])
    assert [r.number for r in bases_of(Run.objects.get(pk=runs[3].pk))] == [3, 2, 1]


def test_repetitions_say_whether_the_weights_were_the_same(
    as_: As, lin: User, project: Project, version: ModelVersion
) -> None:
    assert lineage_of(project, version.pk).reproduced is None
    for number, equal in ((98, False), (99, True)):
        Run.objects.create(
            project=project,
            number=number,
            kind=RunKind.FULL,
            state="completed",
            trigger="x",
            queued_at=NOON,
            reproduces=version.run,
            comparison={"weights_equal": equal},
        )
    assert lineage_of(project, version.pk).reproduced is True
    page = as_(lin).get(reverse("lineage:lineage", args=[project.pk, version.pk])).text
    assert "The same" in page and "Other weights" in page


def test_the_api_tells_the_lineage(lin: User, project: Project, version: ModelVersion) -> None:
    found = api_of(lin).get(f"/api/v1/models/{version.pk}/lineage/").json()
    assert (found["model"], found["labels"], found["seed"], found["reproduced"]) == (1, 16, 5, None)
    assert found["by_annotator"] == [{"name": "Ada", "labels": 2}, {"name": "Grace", "labels": 1}]
    assert (found["packages"], found["weights_digest"], found["bases"]) == ({"torch": "2.0"}, "f" * 64, [])


def test_mallory_finds_no_lineage(lin: User, mallory: User, project: Project, version: ModelVersion) -> None:
    assert api_of(mallory).get(f"/api/v1/models/{version.pk}/lineage/").status_code == 404


def test_a_long_way_back_costs_the_same_queries_as_none(
    as_: As, lin: User, project: Project, version: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    base = version.run
    for i in range(1, 8):
        last = model(project, at=NOON + i * HOUR, base=base)
        base = last.run
    Run.objects.filter(pk=base.pk).update(dataset_version=version.run.dataset_version)
    browser = as_(lin)
    for one in (version, last):
        with django_assert_max_num_queries(13):
            assert browser.get(reverse("lineage:lineage", args=[project.pk, one.pk])).status_code == 200


def repetition(original: Run, **more: Any) -> Run:
    return Run.objects.create(
        project=original.project,
        number=77,
        kind=RunKind.FULL,
        trigger="x",
        queued_at=NOON,
        started_at=NOON,
        reproduces=original,
        dataset_version=original.dataset_version,
        **more,
    )


def test_the_page_of_a_repetition_shows_what_it_found_instead_of_a_verdict(
    as_: As, lin: User, project: Project, version: ModelVersion
) -> None:
    found = {
        "weights_equal": False,
        "digest": "a" * 64,
        "original_digest": "b" * 64,
        "device": "CPU",
        "original_device": "GPU",
        "code_version": "new",
        "original_code_version": "old",
        "packages": {"torch": ["2.0", None]},
        "recipe": {},
        "predictions": {"rows": 40, "equal": 39, "largest_difference": 0.0312},
        "unreadable": [3],
    }
    run = repetition(version.run, state="completed", finished_at=NOON, comparison=found)
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, run.pk])).text
    for words in (
        "Against run 1",
        "Other weights",
        "39 of 40 holdout examples get the same answer; probabilities part by 0.031",
        "The model file of run 3 cannot be read.",
        "none: it only repeats a run",
    ):
        assert words in page
    assert "The model is being judged" not in page


def test_the_page_of_a_repetition_that_trains_says_what_comes(
    as_: As, lin: User, project: Project, version: ModelVersion
) -> None:
    run = repetition(version.run, state="running")
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, run.pk])).text
    assert "Both are compared when the run has ended." in page


def test_the_run_page_leads_to_its_data_and_its_lineage(
    as_: As, lin: User, project: Project, version: ModelVersion
) -> None:
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, version.run_id])).text
    assert f'href="{reverse("lineage:lineage", args=[project.pk, version.pk])}"' in page
    assert f'href="{reverse("datasets:version", args=[project.pk, version.run.dataset_version.number])}"' in page

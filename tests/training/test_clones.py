"""A run again with changes: the form that is filled with its recipe, what differs, the copy, and who may."""

from collections.abc import Callable
from dataclasses import fields

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.errors import Invalid
from apps.loop.services.preparation import settings_of
from apps.projects.models import Project
from apps.rules.recipes import OF_KIND
from apps.rules.sweeps import Bounds
from apps.training.models import Run, RunKind
from apps.training.services.clones import RunCopy, run_clone
from tests.api import api_of, at, post
from tests.conftest import NOON
from tests.rows import labeled, model, trained
from workers.training.recipes import KINDS, FullRecipe

As = Callable[[User], Client]


@pytest.fixture
def run(project: Project) -> Run:
    """A full run with the recipe that a worker wrote."""
    labeled(project)
    run = model(project).run
    run.recipe = FullRecipe(task_type="text-classification", encoder="all-minilm-l6-v2", seed=7, hidden=64).to_dict()
    run.seed = 7
    run.save()
    return run


def test_the_settings_offered_are_those_of_the_recipes() -> None:
    for kind, offered in OF_KIND.items():
        settings = {each.name: each for each in fields(KINDS[kind])}
        for name, bounds in offered.items():
            if isinstance(bounds, Bounds):
                assert (bounds.low, bounds.high) == settings[name].metadata["between"], name
                assert bounds.whole == (settings[name].type is int), name
            else:
                assert bounds == settings[name].metadata["among"], name
        kept_out = {"task_type", "encoder", "seed", "report_every_s", "checkpoint_every_s"}
        assert set(settings) - set(offered) == kept_out, kind


def url(project: Project, run: Run, name: str = "run_again") -> str:
    return reverse(f"lineage:{name}", args=[project.pk, run.pk])


def test_the_form_is_filled_with_the_recipe_of_the_run(as_: As, lin: User, project: Project, run: Run) -> None:
    page = as_(lin).get(url(project, run))
    initial = page.context["form"].initial
    assert initial["kind"] == "full" and initial["hidden"] == 64 and initial["epochs"] == 20 and initial["seed"] == 7
    assert initial["dataset_version"] == "1" and "shrink" not in initial
    assert "Nothing differs yet" in page.text


def test_what_differs_is_shown_while_the_form_is_filled_in(as_: As, lin: User, project: Project, run: Run) -> None:
    asked = {
        "kind": "full",
        "dataset_version": "newest",
        "seed": 7,
        "hidden": 64,
        "epochs": 40,
    }  # as the page asks: without the priority
    asked |= {name: run.recipe[name] for name in OF_KIND["full"] if name not in asked}
    page = as_(lin).get(url(project, run, "run_again_differs"), asked)
    shown = [(each.name, each.was, each.becomes) for each in page.context["differs"]]
    assert shown == [("data version", "1", "the labels as they stand"), ("epochs", "20", "40")]
    unreadable = as_(lin).get(url(project, run, "run_again_differs"), {**asked, "epochs": "many"})
    assert "cannot be read yet" in unreadable.text


def test_lin_starts_a_copy_with_another_learning_rate(as_: As, lin: User, project: Project, run: Run) -> None:
    asked = {"kind": "full", "dataset_version": "1", "seed": 8, "priority": 1, "learning_rate": "0.01", "hidden": "64"}
    answer = as_(lin).post(url(project, run), asked)
    made = Run.objects.get(number=2)
    assert answer.status_code == 302 and answer.url == reverse("lineage:run", args=[project.pk, made.pk])
    assert made.cloned_from == run and made.dataset_version == run.dataset_version and made.base_run is None
    assert (made.kind, made.seed, made.priority, made.started_by) == ("full", 8, 1, lin)
    assert made.recipe == {"learning_rate": 0.01, "hidden": 64, "encoder": "all-minilm-l6-v2"}
    assert {"seed": made.seed, **settings_of(made)}["seed"] == 8  # what the worker trains with
    assert "Lin asked for run 1 again: seed 7 to 8," in made.trigger and "learning rate 0.002 to 0.01" in made.trigger
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, made.pk]))
    assert "A copy of" in page.text and "learning rate" in page.text


def test_a_copy_on_the_newest_labels_takes_the_encoder_of_the_project(lin: User, project: Project, run: Run) -> None:
    reply = post(lin, at(project, "runs/"), clone_of=run.pk, dataset_version=None, recipe={"epochs": 5})
    made = Run.objects.get(pk=reply.json()["id"])
    assert made.dataset_version is None and "encoder" not in made.recipe and made.recipe["epochs"] == 5
    assert made.recipe["hidden"] == 64 and "seed" not in made.recipe and made.seed == 7


def test_the_api_copies_what_is_left_out_and_says_so(lin: User, project: Project, run: Run) -> None:
    reply = post(lin, at(project, "runs/"), clone_of=run.pk, recipe={"dropout": 0.5, "epochs": None})
    assert reply.status_code == 201 and reply.json()["cloned_from"] == run.pk and reply.json()["kind"] == "full"
    made = Run.objects.get(pk=reply.json()["id"])
    assert made.recipe["dropout"] == 0.5 and "epochs" not in made.recipe and made.recipe["batch_size"] == 128
    shown = api_of(lin).get(f"/api/v1/runs/{made.pk}/").json()
    assert shown["recipe"]["dropout"] == 0.5 and shown["dataset_version"] == 1 and shown["base_run"] is None


def test_an_incremental_copy_goes_on_from_the_champion_or_from_the_run_it_names(
    lin: User, project: Project, run: Run
) -> None:
    from apps.releases.services import model_promote

    alone = post(lin, at(project, "runs/"), clone_of=run.pk, kind="incremental")
    assert alone.status_code == 422 and "Choose the run that it goes on from." in alone.json()["detail"]
    model_promote(version=run.model_version, reason="", by=lin, at=NOON)
    made = post(lin, at(project, "runs/"), clone_of=run.pk, kind="incremental", recipe={"shrink": 0.5}).json()
    assert Run.objects.get(pk=made["id"]).base_run == run and Run.objects.get(pk=made["id"]).recipe["shrink"] == 0.5
    Run.objects.filter(pk=made["id"]).update(state="canceled")
    other = trained(project)
    named = post(lin, at(project, "runs/"), clone_of=run.pk, kind="incremental", base_run=other.pk).json()
    assert Run.objects.get(pk=named["id"]).base_run == other


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"recipe": {"epochs": 0}}, "“epochs” lies between 1 and 1000, not at 0."),
        ({"recipe": {"epochs": 2.5}}, "“epochs” is a whole number, not 2.5."),
        ({"recipe": {"epochs": True}}, "“epochs” is a number"),
        ({"recipe": {"epochs": "20"}}, "“epochs” is a number, not “20”."),
        ({"recipe": {"epochs": [20]}}, "“epochs” is a number"),
        ({"recipe": {"magic": 1}}, "“magic” is no setting of this kind of run. Known are epochs,"),
        ({"recipe": {"shrink": 0.5}}, "“shrink” is no setting"),  # of an incremental run alone
        ({"recipe": {"seed": 3}}, "“seed” is no setting"),
        ({"recipe": {"encoder": "x"}}, "“encoder” is no setting"),
        ({"kind": "fine-tune", "recipe": {"adapter": "none"}}, "“adapter” is lora or all, not “none”."),
        ({"dataset_version": 99}, "no data version 99"),
        ({"base_run": 1}, ""),
        ({"clone_of": 10**9}, "There is no such run in this project."),
        ({"kind": "online"}, "is not a valid choice"),
        ({"seed": -1}, "greater than or equal to 0"),
    ],
)
def test_a_copy_that_cannot_be_trained_is_refused_in_words_and_nothing_starts(
    lin: User, project: Project, run: Run, body: dict[str, object], words: str
) -> None:
    reply = post(lin, at(project, "runs/"), **{"clone_of": run.pk, **body})
    assert reply.status_code in (400, 422) and words in reply.content.decode(), reply.content.decode()
    assert Run.objects.count() == 1


def test_settings_without_a_run_to_copy_are_refused(lin: User, project: Project, run: Run) -> None:
    reply = post(lin, at(project, "runs/"), kind="full", recipe={"epochs": 5})
    assert reply.status_code == 422 and "goes with “clone_of” only" in reply.json()["detail"]
    assert Run.objects.count() == 1


def test_a_run_of_another_project_is_neither_copied_nor_gone_on_from(
    lin: User, run: Run, project: Project, make_project: Callable[..., Project]
) -> None:
    other = make_project()
    labeled(other)
    theirs = trained(other)
    reply = post(lin, at(project, "runs/"), clone_of=theirs.pk)
    assert reply.status_code == 422 and Run.objects.filter(project=project).count() == 1
    base = post(lin, at(project, "runs/"), clone_of=run.pk, kind="incremental", base_run=theirs.pk)
    assert base.status_code == 422 and Run.objects.filter(project=project).count() == 1


def test_a_dropped_version_is_not_offered_and_the_labels_of_now_are_taken(
    as_: As, lin: User, project: Project, run: Run
) -> None:
    assert run.dataset_version is not None
    run.dataset_version.dropped_at = NOON
    run.dataset_version.save()
    page = as_(lin).get(url(project, run))
    assert page.context["form"].initial["dataset_version"] == "newest" and "version 1" not in page.text
    named = post(lin, at(project, "runs/"), clone_of=run.pk, dataset_version=1)
    assert named.status_code == 422 and "dropped data version 1" in named.json()["detail"]


def test_what_an_online_learner_recorded_has_no_recipe_to_change(
    as_: As, lin: User, project: Project, run: Run
) -> None:
    Run.objects.filter(pk=run.pk).update(kind=RunKind.ONLINE)
    assert as_(lin).get(url(project, run)).status_code == 409
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, run.pk]))
    assert page.status_code == 200 and "Run again with changes" not in page.text
    assert post(lin, at(project, "runs/"), clone_of=run.pk).status_code == 409


def test_the_form_says_beside_the_setting_what_is_wrong(as_: As, lin: User, project: Project, run: Run) -> None:
    asked = {"kind": "full", "dataset_version": "1", "seed": 7, "priority": 5, "epochs": "2000"}
    refused = as_(lin).post(url(project, run), asked)
    assert refused.status_code == 422 and "between 1 and 1000" in refused.text and Run.objects.count() == 1


def test_the_lineage_of_its_model_names_the_run_it_is_a_copy_of(as_: As, lin: User, project: Project, run: Run) -> None:
    copy = model(project)
    Run.objects.filter(pk=copy.run.pk).update(cloned_from=run)
    page = as_(lin).get(reverse("lineage:lineage", args=[project.pk, copy.pk]))
    assert "Cloned from" in page.text
    assert api_of(lin).get(f"/api/v1/models/{copy.pk}/lineage/").json()["cloned_from"] == run.pk


@pytest.mark.parametrize("wrong", [{"state": "canceled"}, {"artifact_url": ""}, {"kind": "online"}])
def test_an_incremental_copy_goes_on_from_no_run_without_layers(
    lin: User, project: Project, run: Run, wrong: dict[str, str]
) -> None:
    Run.objects.filter(pk=run.pk).update(**wrong)
    copy = RunCopy(kind="incremental", base_run=Run.objects.get(pk=run.pk))
    other = trained(project)
    with pytest.raises(Invalid, match="completed run of this project"):
        run_clone(run=other, copy=copy, by=lin, at=NOON)
    assert Run.objects.count() == 2

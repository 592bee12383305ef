"""The page of one run, from its place in the queue to its verdict."""

from collections.abc import Callable
from dataclasses import replace

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.evaluation.models import Outcome
from apps.projects.models import Project
from apps.releases.services import model_promote
from apps.training.models import Run
from apps.training.services import ownership, reporting
from tests.conftest import NOON
from tests.rows import labeled, model, progress, started, trained

As = Callable[[User], Client]
HX = {"HX-Request": "true"}


def run_url(project: Project, run_id: int, name: str = "run") -> str:
    return reverse(f"lineage:{name}", args=[project.pk, run_id])


def test_a_queued_run_has_a_page(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    page = as_(lin).get(run_url(project, started(project).pk))
    assert page.status_code == 200
    assert "Queued" in page.text and "Cancel run" in page.text


def test_a_running_run_says_how_far_it_is(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = ownership.run_claim(run_id=started(project).pk, at=NOON)
    assert run.owner is not None
    reporting.run_report(run_id=run.pk, owner=run.owner, report=progress(62), at=NOON)
    page = as_(lin).get(run_url(project, run.pk, "run_progress"))
    assert "Step 62 of 100" in page.text and "7.0 s left" in page.text


@pytest.mark.parametrize(("device", "words"), [("CPU, 2 threads", "CPU 78 % busy"), ("NVIDIA H100", "GPU 78 % busy")])
def test_a_running_run_says_how_busy_its_device_is(
    as_: As, lin: User, project: Project, device: str, words: str
) -> None:
    labeled(project)
    run = ownership.run_claim(run_id=started(project).pk, at=NOON)
    assert run.owner is not None
    Run.objects.filter(pk=run.pk).update(device=device)
    told = replace(progress(62), learning_rate=0.00123, device_percent=78.2, memory_mb=812.4)
    reporting.run_report(run_id=run.pk, owner=run.owner, report=told, at=NOON)
    page = as_(lin).get(run_url(project, run.pk, "run_progress"))
    line = " ".join(page.text.split())
    assert f"loss 0.016 · learning rate 1.2e-03 · {words} · 812 MB of memory" in line


def test_a_fine_tune_says_what_it_did_with_its_device(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = trained(project)
    Run.objects.filter(pk=run.pk).update(
        measured={
            "tokens_per_s": 412345.6,
            "samples_per_s": 8200.2,
            "peak_memory_mb": 5120.4,
            "peak_share": 0.4149,
            "world_size": 2,
        }
    )
    page = as_(lin).get(run_url(project, run.pk, "run_progress"))
    line = " ".join(page.text.split())
    assert (
        "412,346 tokens/s, 8200 examples/s, at most 5120 MB of memory, 41 % of what the GPU could compute, "
        "2 processes together"
    ) in line


def test_a_failed_run_says_why_and_keeps_the_traceback_for_engineers(
    as_: As, lin: User, mona: User, project: Project
) -> None:
    labeled(project)
    run = ownership.run_claim(run_id=started(project).pk, at=NOON)
    assert run.owner is not None
    ownership.run_fail(
        run_id=run.pk, owner=run.owner, sentence="Row 3 cannot be read.", traceback="Traceback: x", at=NOON
    )
    engineer, manager = as_(lin).get(run_url(project, run.pk)).text, as_(mona).get(run_url(project, run.pk)).text
    assert "Row 3 cannot be read." in engineer and "Traceback: x" in engineer
    assert "Row 3 cannot be read." in manager and "Traceback: x" not in manager


def test_a_judged_run_shows_gates_intervals_and_the_way_on(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON)
    second = model(project, base=first.run)
    page = as_(lin).get(run_url(project, second.run_id))
    assert "surely better" in page.text
    assert "+0.3 to +3.6" in page.text and "Promote v2" in page.text


def test_a_judged_run_that_failed_offers_no_promotion(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    version = model(project, Outcome.FAIL)
    page = as_(lin).get(run_url(project, version.run_id, "run_verdict"))
    assert "It cannot be promoted" in page.text
    assert reverse("releases:promote", args=[project.pk, version.pk]) not in page.text


def test_the_confusion_matrix_is_a_figure_that_plotly_takes(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    version = model(project)
    figures = as_(lin).get(run_url(project, version.run_id, "run_figures")).json()
    go.Figure(figures["confusion"])
    assert figures["confusion"]["data"][0]["text"] == [[45, 5], [5, 45]]


@pytest.mark.parametrize("name", ["run", "run_head", "run_progress", "run_verdict", "run_figures"])
def test_ada_and_mallory_see_no_run(as_: As, ada: User, mallory: User, project: Project, name: str) -> None:
    labeled(project)
    run = trained(project)
    assert as_(ada).get(run_url(project, run.pk, name)).status_code == 403
    assert as_(mallory).get(run_url(project, run.pk, name)).status_code == 404

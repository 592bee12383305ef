"""Confident learning on real digits with planted errors: what it finds, whom it asks, and what came of it."""

import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest
from django.utils import timezone
from sklearn.datasets import load_digits

from apps.audit.models import Event
from apps.cases.simulation.source import png_of
from apps.datasets.models import Example
from apps.labeling.models import FrontierItem, Label, LabelSource, Lane, Suspect, SuspectState
from apps.loop import services as loop
from apps.projects.models import Project
from apps.training.models import Run
from apps.work.names import Job
from tests import rows
from tests.workers.at_once import JobsAtOnce
from tests.workers.conftest import DIGITS
from workers.tasks.suspects import Labels, doubted, suspects
from workers.training.doubts.confident import judged, judged_apart

pytestmark = pytest.mark.django_db(transaction=True)
PLANTED = 30


@pytest.fixture
def wrong(make_project, noon: datetime, jobs: JobsAtOnce) -> tuple[Project, Run, set[int]]:
    """1,600 labeled digits, thirty of them with another label than they show."""
    project = make_project("image-classification", DIGITS, name="Digits with errors", holdout_share=0.02)
    jobs.held |= {Job.TRAIN, Job.EMBED}  # a row of a finished run is enough: the doubts do not ask its model
    found, rng = load_digits(), np.random.default_rng(4)
    swapped = set(rng.choice(1600, PLANTED, replace=False).tolist())
    given = [
        str((found.target[i] + rng.integers(1, 10)) % 10 if i in swapped else found.target[i]) for i in range(1600)
    ]
    loop.batch_take(
        project=project,
        source="test",
        by=None,
        at=noon,
        rows=[{"id": f"d{i}", "image": png_of(found.images[i]), "label": given[i]} for i in range(1600)],
    )
    planted = set(
        Example.objects.filter(project=project, holdout=False, external_id__in=[f"d{i}" for i in swapped]).values_list(
            "pk", flat=True
        )
    )
    return project, rows.trained(project), planted


def test_most_planted_errors_are_found_and_little_else(wrong) -> None:
    project, run, planted = wrong
    suspects(run.pk)
    found = list(Suspect.objects.filter(project=project))
    hits = [s for s in found if s.example_id in planted]
    assert len(hits) >= 0.7 * len(planted), f"{len(hits)} of {len(planted)}"
    assert len(hits) >= 0.7 * len(found), f"{len(hits)} right of {len(found)}"
    truth = {f"d{i}": str(t) for i, t in enumerate(load_digits().target)}
    right = [s for s in hits if s.expected.name == truth[s.example.external_id]]
    assert len(right) >= 0.8 * len(hits)
    assert all(s.given_id == Label.objects.get(pk=s.example_id).label_id for s in found)


def test_the_most_doubtful_wait_first_in_the_relabel_lane_and_nothing_gives_the_doubt_away(wrong) -> None:
    project, run, _planted = wrong
    suspects(run.pk)
    waiting = FrontierItem.objects.filter(project=project, lane=Lane.RELABEL).order_by("rank")
    in_order = list(Suspect.objects.filter(project=project).order_by("quality").values_list("example_id", flat=True))
    assert [item.example_id for item in waiting] == in_order
    assert all(item.reason == {"strategy": "suspect"} and item.slot == 0 for item in waiting)


def test_at_most_two_percent_wait_at_a_time_and_a_second_run_adds_none_twice(wrong) -> None:
    project, run, _planted = wrong
    suspects(run.pk)
    n = Suspect.objects.filter(project=project).count()
    labels = Label.objects.filter(project=project, holdout=False).exclude(source=LabelSource.DUPLICATE).count()
    assert 0 < n <= round(0.02 * labels)
    suspects(run.pk)
    open_ones = Suspect.objects.filter(project=project, state=SuspectState.OPEN)
    assert open_ones.count() <= round(0.02 * labels)
    assert open_ones.values("example").distinct().count() == open_ones.count()
    assert "to a second look" in Event.objects.filter(verb="labels.doubted").first().sentence


def test_what_was_looked_at_again_is_not_doubted_a_second_time(wrong) -> None:
    project, run, _planted = wrong
    suspects(run.pk)
    settled = list(Suspect.objects.filter(project=project).values_list("example_id", flat=True))
    Suspect.objects.filter(project=project).update(state=SuspectState.STANDS, settled_at=timezone.now())
    FrontierItem.objects.filter(lane=Lane.RELABEL).delete()
    suspects(run.pk)
    again = Suspect.objects.filter(project=project, state=SuspectState.OPEN)
    assert not set(settled) & set(again.values_list("example_id", flat=True))


def test_decided_labels_are_never_doubted(wrong) -> None:
    _project, run, planted = wrong
    Label.objects.filter(pk__in=planted).update(source=LabelSource.REVIEW)
    suspects(run.pk)
    assert not Suspect.objects.filter(example_id__in=planted).exists()


def test_too_few_labels_are_not_doubted(project: Project, jobs: JobsAtOnce) -> None:
    jobs.held.add(Job.TRAIN)
    rows.labeled(project, 20)
    suspects(rows.trained(project).pk)
    assert not Suspect.objects.exists()


@pytest.mark.usefixtures("brief")
def test_a_judged_run_asks_for_its_doubts(digits: Project, noon: datetime, jobs: JobsAtOnce) -> None:
    run = loop.run_start_now(project=digits, kind="full", by=None, at=noon)
    assert (Job.SUSPECTS, (run.pk,)) in jobs.sent


def test_blobs_with_thirty_swapped_labels_give_them_back_in_order_of_doubt() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 600)
    vectors = (rng.normal(size=(600, 8)) * 0.5 + np.eye(3, 8)[classes] * 3).astype(np.float32)
    swapped = rng.choice(600, 30, replace=False)
    given = classes.copy()
    given[swapped] = (given[swapped] + 1) % 3
    labels = Labels(np.arange(600), given, np.ones(600, bool), (10, 11, 12))
    found = doubted(labels, judged(vectors, given, seed=1))
    assert len({d.example_id for d in found[:30]} & set(swapped.tolist())) >= 23
    assert len(found) <= 26  # little else
    assert [d.quality for d in found] == sorted(d.quality for d in found)


def test_the_process_of_its_own_says_the_same_and_leaves_nothing_behind() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 200)
    vectors = (rng.normal(size=(200, 8)) * 0.5 + np.eye(3, 8)[classes] * 3).astype(np.float32)
    here, apart = judged(vectors, classes, seed=1), judged_apart(vectors, classes, seed=1)
    assert here.order.tolist() == apart.order.tolist() and here.expected.tolist() == apart.expected.tolist()
    assert np.allclose(here.quality, apart.quality)
    code = "import sys, workers.tasks.suspects; print('sklearn' in sys.modules, 'cleanlab' in sys.modules)"
    setup = "import django; django.setup(); "
    told = subprocess.run([sys.executable, "-c", setup + code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]

"""The model of an alarm and the one after it, held against each other on the labels that judge: of texts, with real models."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.datasets.versions import version_rows
from apps.labeling.models import DriftExample, Label, LabelSource
from apps.labeling.services.drift_lane import drift_lane_labels
from apps.loop import services as loop
from apps.loop.models import Mending
from apps.monitoring.models import Alert
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.training.models import Run
from tests.workers.at_once import JobsAtOnce
from workers.tasks.alarm_slice import slice_measure
from workers.tasks.bundles import bundle_today
from workers.tasks.rows import rows_of
from workers.training.models.bundle import predict

pytestmark = pytest.mark.django_db(transaction=True)


def said(project: Project, run: Run, ids: list[int]) -> list[str]:
    bundle = bundle_today(run)
    return [bundle.labels[i] for i in predict(bundle, rows_of(project, ids, encoder=bundle.encoder)).argmax(axis=1)]


@pytest.fixture
def alarmed(trained: Project, lin: User) -> Mending:
    """v1 serves, and an alarm has a lane of 30: 12 judge; all are spam, which half of them are called elsewhere."""
    at = timezone.now()
    first = ModelVersion.objects.get(project=trained)
    model_promote(version=first, reason="The first one, whatever its gates say.", by=lin, at=at)
    alert = Alert.objects.create(
        project=trained, kind="drift", title="Drift", detail="It moved.", opened_at=at, last_seen_at=at, monitors=["x"]
    )
    spam = trained.labels.get(name="spam")
    for i, example in enumerate(Example.objects.filter(project=trained, label=None, holdout=False).order_by("pk")[:30]):
        DriftExample.objects.create(
            project=trained, example=example, alert_number=alert.pk, judges=i < 12, asked_at=at - timedelta(hours=1)
        )
        Label.objects.create(
            project=trained,
            example=example,
            label=spam,
            source=LabelSource.CONSENSUS,
            holdout=False,
            lane="drift",
            shown_at=at,
            resolved_at=at,
        )
    return Mending.objects.create(alert=alert, project=trained, model_number=first.number, begun_at=at)


def test_both_are_measured_on_labels_that_neither_was_trained_on(
    alarmed: Mending, noon: datetime, jobs: JobsAtOnce
) -> None:
    project = alarmed.project
    slice_measure(alarmed.pk)
    assert Mending.objects.get(pk=alarmed.pk).measured_number is None, "there is nothing to hold against it yet"
    run = loop.run_start_now(project=project, kind="full", by=None, at=timezone.now())
    run.refresh_from_db()
    alarmed.run = run
    alarmed.save(update_fields=["run"])
    judging = [pk for pk, _ in drift_lane_labels(project, alarmed.pk, judges=True)]
    assert run.dataset_version is not None and len(judging) == 12
    learned = {row.example_id for row in version_rows(run.dataset_version)}
    assert not learned & set(judging)
    assert {pk for pk, _ in drift_lane_labels(project, alarmed.pk, judges=False)} <= learned

    slice_measure(alarmed.pk), slice_measure(alarmed.pk)
    found = Mending.objects.get(pk=alarmed.pk)
    first = ModelVersion.objects.get(project=project, number=1)
    assert (found.measured_number, found.judges) == (2, 12)
    assert found.before == np.sum(np.array(said(project, first.run, judging)) == "spam")
    assert found.after == np.sum(np.array(said(project, run, judging)) == "spam")


def test_a_model_whose_file_is_gone_is_measured_by_nobody(alarmed: Mending, jobs: JobsAtOnce) -> None:
    run = loop.run_start_now(project=alarmed.project, kind="full", by=None, at=timezone.now())
    Run.objects.filter(pk=run.pk).update(artifact_url="file:///nowhere")
    alarmed.run = run
    alarmed.save(update_fields=["run"])
    slice_measure(alarmed.pk)
    assert Mending.objects.get(pk=alarmed.pk).measured_number is None
    slice_measure(alarmed.pk + 1)

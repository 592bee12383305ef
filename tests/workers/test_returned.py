"""The loop that closes with no annotator: requests, labels that come back, examples, a run that trains on them, a lap."""

from datetime import timedelta

import pytest
from django.utils import timezone
from sklearn.datasets import load_digits

from apps.accounts.models import User
from apps.cases.simulation.source import png_of
from apps.labeling.models import Annotation, Label, LabelSource, ReturnedLabel
from apps.loop import services as loop
from apps.loop.returned import returned_take
from apps.monitoring.feedback.services import feedback_take
from apps.monitoring.feedback.settings import feedback_settings_set
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.slas.models import Lap
from apps.training.models import OnlineLearner, RunState
from apps.training.services.online import online_set
from workers.tasks.online import online

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("brief")]
HOUR = timedelta(hours=1)


def fed(project: Project, n: int, by: User, *, first: int = 1000) -> None:
    """`n` requests of two hours ago whose pictures were kept, and the labels that came back for them."""
    found, at = load_digits(), timezone.now() - 2 * HOUR
    feedback_settings_set(
        project=project, by=by, at=timezone.now(), maturity_hours=1, payloads="all", becomes_examples=True
    )
    predictions_record(
        rows=[
            LoggedPrediction(project.pk, f"q{i}", at, 1, "0", 0.9, 5.0, asked=AskedRow({}, png_of(found.images[i])))
            for i in range(first, first + n)
        ]
    )
    pieces = [{"inference_id": f"q{i}", "label": str(found.target[i])} for i in range(first, first + n)]
    feedback_take(project=project, rows=pieces, at=at)


def test_a_loop_closes_with_no_annotator(digits: Project, lin: User, mona: User) -> None:
    fed(digits, 60, mona)
    assert returned_take(project_id=digits.pk) == 60
    run = loop.run_start_now(project=digits, kind="full", by=lin, at=timezone.now())
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED
    mine = Label.objects.filter(project=digits, source=LabelSource.FEEDBACK)
    assert mine.count() == 60 and set(mine.values_list("first_run_number", flat=True)) == {run.number}
    promotion = model_promote(
        version=ModelVersion.objects.get(run=run), reason="It is the first of this project.", by=lin, at=timezone.now()
    )
    loop.serving_confirmed(promotion_id=promotion.pk, at=timezone.now())
    assert Lap.objects.filter(project=digits).exists()
    assert not mine.filter(served_at=None).exists()
    assert not Annotation.objects.filter(project=digits).exists()


def test_the_online_learner_reads_what_came_back_once_by_a_cursor_of_its_own(
    digits: Project, lin: User, mona: User
) -> None:
    online_set(project=digits, enabled=True, publish_every=1_000_000, by=lin, at=timezone.now())
    before = OnlineLearner.objects.get(project=digits)
    fed(digits, 30, mona)
    returned_take(project_id=digits.pk)
    online(digits.pk)
    after = OnlineLearner.objects.get(project=digits)
    assert after.error == "" and after.examples == before.examples + 30
    assert after.feedback_cursor == ReturnedLabel.objects.order_by("-pk").values_list("pk", flat=True)[0]
    assert (after.cursor_at, after.cursor_id) == (before.cursor_at, before.cursor_id)
    online(digits.pk)
    assert OnlineLearner.objects.get(project=digits).examples == after.examples


def test_a_learner_of_feedback_alone_makes_its_model(digits: Project, lin: User, mona: User) -> None:
    Label.objects.filter(project=digits, holdout=False).delete()
    fed(digits, 30, mona)
    returned_take(project_id=digits.pk)
    online_set(project=digits, enabled=True, publish_every=20, by=lin, at=timezone.now())
    learner = OnlineLearner.objects.get(project=digits)
    assert learner.error == "" and learner.last_run is not None and learner.last_run.labels == 30

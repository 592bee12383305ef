"""An alarm of which each link can be clicked: a young release, kept requests, labels of its lane."""

from datetime import timedelta

from django.utils import timezone

from apps.labeling.models import DriftExample, Label, LabelSource
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import Alert
from apps.projects.models import Project
from apps.releases.models import PromotionKind
from apps.releases.services import champion_now, champion_set
from tests import rows


def suspecting(project: Project) -> int:
    """The key of an alarm that comes a moment after a release, about requests whose content was kept."""
    now, version = timezone.now(), rows.model(project)
    before = now - timedelta(minutes=1)
    champion_set(project, version, champion_now(project), PromotionKind.PROMOTE, "", None, before)
    asked = [
        LoggedPrediction(
            project.pk, f"a{i}", before, version.number, "ham", 0.7, 5.0, asked=AskedRow({"text": f"a new sort {i}"})
        )
        for i in range(40)
    ]
    predictions_record(rows=asked)
    alert = Alert.objects.create(
        project=project,
        kind="groups",
        title="Groups over time",
        detail="They parted.",
        opened_at=now,
        last_seen_at=now,
        monitors=["fairness-drift"],
        since=now - timedelta(hours=1),
        until=now,
    )
    return alert.pk


def labeled_lane(alert_id: int) -> int:
    """The same alarm, once people have labeled its lane."""
    now = timezone.now()
    for each in DriftExample.objects.filter(alert_number=alert_id).select_related("project"):
        Label.objects.create(
            project=each.project,
            example_id=each.pk,
            label=each.project.labels.get(name="ham"),
            source=LabelSource.CONSENSUS,
            holdout=False,
            lane="drift",
            shown_at=now,
            resolved_at=now,
        )
    return alert_id

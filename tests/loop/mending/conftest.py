"""A champion, traffic of which a part is new, what was asked, and the alarm of that."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.integrations import wiring
from apps.labeling.models import DriftExample, Label, LabelSource
from apps.loop.mending.policies import ALARM_POLICY
from apps.loop.mending.services import alarms_mend
from apps.loop.models import Mending, MendingStep
from apps.monitoring.log.services import AskedRow, LoggedPrediction, predictions_record
from apps.monitoring.models import Alert, MonitorReading, ReadingOutcome
from apps.projects.models import Project
from apps.projects.policies.services import policy_set
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.rules.mending import alarm_policy_of
from tests import rows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> rows.Sent:
    found = rows.Sent([])
    monkeypatch.setattr(wiring, "jobs", found)
    return found


@pytest.fixture
def now() -> datetime:
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def served(project: Project, lin: User, now: datetime, sent: rows.Sent) -> Callable[..., ModelVersion]:
    """Makes a model and its promotion, so long ago: `served(hours=2)`."""

    def making(hours: float) -> ModelVersion:
        rows.labeled(project, at=now - 9 * DAY)
        version = rows.model(project, at=now - 8 * DAY)
        model_promote(version=version, reason="", by=lin, at=now - hours * HOUR)
        return version

    return making


@pytest.fixture
def does(project: Project, mona: User, now: datetime) -> Callable[..., None]:
    """Sets the alarm policy: `does(lane={"mode": "auto"})`."""

    def setting(**given: Any) -> None:
        policy_set(ALARM_POLICY, project=project, policy=alarm_policy_of(given), by=mona, at=now)

    return setting


@pytest.fixture
def asked(project: Project, now: datetime) -> Callable[..., None]:
    """So many answered requests of the last day; the content of each is kept."""

    def asking(n: int = 90, *, model: int = 1, kept: bool = True, spam_from: int = 1000) -> None:
        """From `spam_from` on they were answered with spam."""
        until = now
        predictions_record(
            rows=[
                LoggedPrediction(
                    project.pk,
                    f"q{i}",
                    until - (i + 1) * timedelta(minutes=2),
                    model,
                    "ham" if i < spam_from else "spam",
                    0.5 + (i % 50) / 100,
                    5.0,
                    asked=AskedRow({"text": f"new sort of letter {i}"}) if kept else None,
                )
                for i in range(n)
            ]
        )

    return asking


@pytest.fixture
def alarm(project: Project, now: datetime) -> Callable[..., Alert]:
    """An alarm about the last day: `alarm(kind="loss", severity="warns")`."""

    def raising(
        *, kind: str = "drift", severity: str = "alarms", model: int = 1, features: list[dict[str, Any]] | None = None
    ) -> Alert:
        until = now
        alert = Alert.objects.create(
            project=project,
            kind=kind,
            title="Drift" if kind == "drift" else "Wrong answers",
            detail="2 of 20 moved.",
            opened_at=until,
            last_seen_at=until,
            severity=severity,
            monitors=["column-drift"],
            since=until - DAY,
            until=until,
        )
        MonitorReading.objects.create(
            project=project,
            monitor=f"column-drift-{kind}",
            type="column-drift",
            policy_number=1,
            model_number=model,
            since=until - DAY,
            until=until,
            at=until,
            outcome=ReadingOutcome.RAISED,
            sentence="Moved.",
            features=features or [{"name": "length of text", "drifted": True}, {"name": "city", "drifted": False}],
            alert=alert,
        )
        return alert

    return raising


def mend(at: datetime) -> None:
    alarms_mend(at=at)


def step(alert: Alert, link: str) -> tuple[str, str]:
    """State and words of one link, or two empty ones."""
    found = MendingStep.objects.filter(mending=alert.pk, link=link).first()
    return (found.state, found.words) if found else ("", "")


def answered(
    project: Project, alert: Alert, n: int, *, at: datetime, judges: bool | None = None, label: str = ""
) -> None:
    """People label so many more examples of the lane, ham and spam in turn."""
    waiting = DriftExample.objects.filter(alert_number=alert.pk, example__label=None).order_by("pk")
    waiting = waiting if judges is None else waiting.filter(judges=judges)
    for i, each in enumerate(waiting.select_related("example")[:n]):
        labeled_as(project, each.example, label or ("ham", "spam")[i % 2], at=at)


def labeled_as(project: Project, example: Example, label: str, *, at: datetime) -> None:
    Label.objects.create(
        project=project,
        example=example,
        label=project.labels.get(name=label),
        source=LabelSource.CONSENSUS,
        holdout=False,
        lane="drift",
        shown_at=at,
        resolved_at=at,
    )


def mending_of(alert: Alert) -> Mending:
    return Mending.objects.get(pk=alert.pk)

"""What the monitor shows: traffic over time, drift checks, alerts; and single answers of the log."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from apps.monitoring.log.traffic import Traffic, first_answer, traffic_of
from apps.monitoring.models import Alert, DriftCheck, Prediction
from apps.pages.periods import Period, that_fits
from apps.projects.models import Project

CHECKS = 12


@dataclass(frozen=True)
class Monitor:
    traffic: Traffic
    checks: tuple[DriftCheck, ...]
    alerts: tuple[Alert, ...]
    resolved: tuple[Alert, ...]

    @property
    def last_check(self) -> DriftCheck | None:
        return self.checks[0] if self.checks else None


def period_that_fits(project: Project, at: datetime) -> str:
    """The shortest that holds all answers so far, up to a week."""
    return that_fits(first_answer(project), at, among=("1h", "24h", "7d"), otherwise="24h")


def monitor_of(project: Project, period: Period) -> Monitor:
    alerts = alerts_of(project)
    return Monitor(
        traffic=traffic_of(project, period),
        checks=tuple(DriftCheck.objects.filter(project=project)[:CHECKS]),
        alerts=tuple(alerts.filter(resolved_at=None)),
        resolved=tuple(alerts.filter(resolved_at__isnull=False)[:10]),
    )


def alerts_of(project: Project) -> QuerySet[Alert]:
    return Alert.objects.filter(project=project).select_related("resolved_by", "check_row")


def predictions_of(project: Project) -> QuerySet[Prediction]:
    """What users got, newest first."""
    return Prediction.objects.shown().filter(project=project).order_by("-at", "-id")


NAMED_LIKE = 20  # answers under one id that a page lists


def predictions_named(project: Project, inference_id: str) -> list[Prediction]:
    """The newest answers to requests under this id."""
    return list(Prediction.objects.filter(project=project, inference_id=inference_id)[:NAMED_LIKE])

"""What the monitor shows: traffic over time, drift checks, alerts; and single answers of the log."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.monitoring.filters import ALL, TrafficFilter
from apps.monitoring.log.sample import traffic_of_slice
from apps.monitoring.log.traffic import Traffic, arms_answered, first_answer, traffic_of
from apps.monitoring.models import Alert, DriftCheck, Prediction
from apps.pages.periods import Period, that_fits
from apps.projects.models import Project
from apps.rules.rollouts.arms import Arm

CHECKS = 12
ARM_WORDS: dict[str, str | Promise] = {
    Arm.CHAMPION: gettext_lazy("Champion"),
    Arm.CANARY: gettext_lazy("Canary"),
    Arm.SHADOW: gettext_lazy("Shadow"),
}


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


@dataclass(frozen=True)
class FilterChoices:
    """What the log has to choose from in a period, and what is chosen."""

    arms: tuple[tuple[str, str | Promise], ...]  # with their words
    versions: tuple[int, ...]


def monitor_of(project: Project, period: Period, shown: TrafficFilter = ALL) -> Monitor:
    """Traffic as it is filtered; checks of the period, and of the version where one is chosen; alarms that are open, and those that
    were resolved in the period."""
    alerts = alerts_of(project)
    checks = DriftCheck.objects.filter(project=project, at__gt=period.since, at__lte=period.until)
    if shown.version is not None:
        checks = checks.filter(model_number=shown.version)
    resolved = alerts.filter(resolved_at__gt=period.since, resolved_at__lte=period.until)
    return Monitor(
        traffic=traffic_shown(project, period, shown),
        checks=tuple(checks[:CHECKS]),
        alerts=tuple(alerts.filter(resolved_at=None)),
        resolved=tuple(resolved[:10]),
    )


def traffic_shown(project: Project, period: Period, shown: TrafficFilter = ALL) -> Traffic:
    """From the roll-ups, where no slice is asked for; else from kept requests."""
    if shown.column:
        return traffic_of_slice(
            project, period, column=shown.column, value=shown.value, arms=shown.arms, versions=shown.versions
        )
    return traffic_of(project, period, arms=shown.arms, versions=shown.versions)


def choices_of(project: Project, period: Period, shown: TrafficFilter) -> FilterChoices:
    answered = arms_answered(project, period)
    arms = {each.arm for each in answered} | {shown.arm}
    versions = {each.version for each in answered}
    if shown.version is not None:
        versions.add(shown.version)
    return FilterChoices(
        tuple((arm, words) for arm, words in ARM_WORDS.items() if arm in arms), tuple(sorted(versions, reverse=True))
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

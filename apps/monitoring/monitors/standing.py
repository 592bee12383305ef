"""How the monitors of many projects stand: open alarms, the oldest, how much of the budget is used, how often they were right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from apps.monitoring.models import Alert, AlertVerdict, MonitorPolicyVersion
from apps.rules.monitors import MonitorPolicy
from apps.rules.monitors.policy import MONTH

LONG = timedelta(days=90)
COUNTED = ("alarms", "oldest_at", "false_month", "true", "false")
BUDGET: float = MonitorPolicy.model_fields["budget"].default


@dataclass(frozen=True)
class MonitorStanding:
    """`false_month` are alarms of the last 30 days that were judged false: what is used of `budget`. The others are of 90 days."""

    alarms: int = 0
    oldest_at: datetime | None = None
    false_month: int = 0
    true: int = 0
    false: int = 0
    budget: float = BUDGET

    @property
    def precision(self) -> float | None:
        """Of those that were judged."""
        judged = self.true + self.false
        return self.true / judged if judged else None

    @property
    def over_budget(self) -> bool:
        return self.false_month > self.budget


def monitors_standing(project_ids: Sequence[int], at: datetime) -> dict[int, MonitorStanding]:
    """In two queries, however many projects there are. Those without an alarm and a policy of their own are left out."""
    newest = MonitorPolicyVersion.objects.filter(project_id__in=project_ids).order_by("project_id", "-number")
    budgets = {row.project_id: float(row.policy.get("budget", BUDGET)) for row in newest.distinct("project_id")}
    open_, long = Q(resolved_at=None), Q(opened_at__gt=at - LONG)
    wrong = Q(verdict=AlertVerdict.FALSE)
    rows = (
        Alert.objects.filter(open_ | long, project_id__in=project_ids)
        .order_by()
        .values("project_id")
        .annotate(
            alarms=Count("pk", filter=open_),
            oldest_at=Min("opened_at", filter=open_),
            false_month=Count("pk", filter=wrong & Q(opened_at__gt=at - MONTH)),
            true=Count("pk", filter=Q(verdict=AlertVerdict.TRUE) & long),
            false=Count("pk", filter=wrong & long),
        )
    )
    found: dict[int, dict[str, Any]] = {
        row["project_id"]: {name: each for name, each in row.items() if name in COUNTED} for row in rows
    }
    return {pk: MonitorStanding(**found.get(pk, {}), budget=budgets.get(pk, BUDGET)) for pk in {*found, *budgets}}

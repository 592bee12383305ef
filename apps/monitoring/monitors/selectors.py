"""Read what monitors said."""

from datetime import datetime

from django.db.models import Max, QuerySet

from apps.monitoring.models import Alert, MonitorReading
from apps.projects.models import Project


def readings_of(project: Project) -> QuerySet[MonitorReading]:
    """Newest first."""
    return MonitorReading.objects.filter(project=project)


def last_resolved(project: Project, kind: str) -> datetime | None:
    """When somebody last judged alarms of this cause: what came before is theirs."""
    found: datetime | None = Alert.objects.filter(project=project, kind=kind).aggregate(at=Max("resolved_at"))["at"]
    return found

"""Around the learning page: a new champion looks at what it may label by itself, and each judged run is measured once."""

from datetime import datetime, timedelta

from django.db.models import Max

from apps.evaluation.models import Report
from apps.labeling.models import AutoLabeling
from apps.releases.models import Alias, AliasName
from apps.training.models import Run
from apps.work.alone import alone
from apps.work.jobs import ask
from apps.work.names import Job

ASKED_AGAIN = timedelta(minutes=5)  # looking at a pool of a million takes about a minute; after five the worker is dead
MEASURED_WITHIN = timedelta(minutes=2)  # measuring takes seconds
GIVEN_UP = timedelta(minutes=30)  # what fails for so long fails for a reason; the next run is measured anyway


def auto_labels_check(*, at: datetime) -> list[int]:
    """Ask the champion of every project that allows it and that it has not looked at since it became champion."""
    asked = []
    for row in AutoLabeling.objects.filter(enabled=True, project__archived_at=None):
        with alone("the look for auto-labels", row.project_id):
            champion = Alias.objects.filter(project_id=row.project_id, name=AliasName.CHAMPION).first()
            if champion is not None and _has_news(row, champion, at) and ask(Job.AUTO_LABEL, row.project_id):
                AutoLabeling.objects.filter(pk=row.pk).update(asked_at=at)
                asked.append(row.project_id)
    return asked


def _has_news(row: AutoLabeling, champion: Alias, at: datetime) -> bool:
    """New settings forget both moments, so only a new champion is to be compared with them."""
    if row.checked_at is not None and row.checked_at >= champion.set_at:
        return False
    return row.asked_at is None or row.asked_at < max(champion.set_at, at - ASKED_AGAIN)


def measures_check(*, at: datetime) -> list[int]:
    """The newest judged run of each project whose measurement got lost on the way: ask once more."""
    newest = Report.objects.values("run__project").annotate(run=Max("run_id")).values_list("run", flat=True)
    missing = Run.objects.filter(
        pk__in=list(newest),
        learning=None,
        project__archived_at=None,
        report__finished_at__lt=at - MEASURED_WITHIN,
        report__finished_at__gt=at - GIVEN_UP,
    )
    asked = []
    for run_id in missing.values_list("pk", flat=True):
        if ask(Job.MEASURE, run_id):
            asked.append(run_id)
    return asked

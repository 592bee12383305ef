"""Find the report of a run."""

from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import NotFound
from apps.evaluation.models import Report
from apps.projects.access import project_for
from apps.projects.models import Project
from apps.projects.roles import Permission

PARTS = ("run", "run__project", "run__dataset_version", "baseline_run", "gate_policy", "overridden_by", "model_version")


def report_in(project: Project, run_id: int) -> Report:
    """The project's permission is checked by then. Raises NotFound."""
    report = Report.objects.select_related(*PARTS).filter(run_id=run_id, run__project=project).first()
    if report is None:
        raise NotFound(gettext("There is no report of this run: it was not judged."))
    return report


def report_for(user: User, run_id: int, permission: Permission, *, changes: bool = False) -> Report:
    """The report, if the person may. Raises NotFound or Forbidden."""
    report = Report.objects.select_related(*PARTS).filter(run_id=run_id).first()
    unseen = gettext("There is no such report.")
    if report is None:
        raise NotFound(unseen)
    project_for(user, report.run.project_id, permission, unseen=unseen, changes=changes)
    return report


def version_number_of(report: Report) -> int | None:
    """Of the model that the run became; the table stands above this app."""
    version = getattr(report, "model_version", None)
    return int(version.number) if version else None

"""What is told of projects that end: what hangs on one, and how far deletions are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.errors import NotFound
from apps.labeling.models import Annotation
from apps.projects.models import DeletionState, Project, ProjectDeletion
from apps.releases.models import Mirrored, ModelVersion
from apps.training.models import Run

TOLD_FOR = timedelta(hours=1)  # that it is done, on the page of all projects


@dataclass(frozen=True)
class HangingOn:
    """What goes with a project, in numbers that people know. `mirrored` runs stay on the tracking server."""

    examples: int
    answers: int
    runs: int
    models: int
    mirrored: int


def hanging_on(project: Project) -> HangingOn:
    return HangingOn(
        examples=Example.objects.filter(project=project).count(),
        answers=Annotation.objects.filter(project=project).count(),
        runs=Run.objects.filter(project=project).count(),
        models=ModelVersion.objects.filter(project=project).count(),
        mirrored=Mirrored.objects.filter(run__project=project).exclude(tracking_run="").count(),
    )


def deletions_of(user: User) -> QuerySet[ProjectDeletion]:
    """Those that the person asked for; all for whoever runs the console. Newest first."""
    found = ProjectDeletion.objects.select_related("by").order_by("-id")
    return found if user.is_superuser else found.filter(by=user)


def deletions_shown_to(user: User, at: datetime) -> list[ProjectDeletion]:
    """Under way, or just done."""
    recent = Q(state=DeletionState.DELETING) | Q(finished_at__gte=at - TOLD_FOR)
    return list(deletions_of(user).filter(recent)[:20])


def deletion_of(user: User, number: int) -> ProjectDeletion:
    """Raises NotFound."""
    found = deletions_of(user).filter(number=number).first()
    if found is None:
        raise NotFound(_("You deleted no project with this number."))
    return found

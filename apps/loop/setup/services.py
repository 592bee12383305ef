"""Open a project: what each stage needs is there from the first moment on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.labeling.services.queue_settings import queue_open
from apps.projects.models import Project
from apps.projects.services import LabelSpec, project_create


@transaction.atomic
def project_open(
    *,
    name: str,
    task_type: str,
    labels: Sequence[LabelSpec],
    guidelines: str = "",
    holdout_share: float = 0.05,
    by: User,
    at: datetime,
    **queue: Any,
) -> Project:
    """A project and its queue, which takes `queue` by name. Raises what `project_create` raises."""
    project = project_create(
        name=name, task_type=task_type, labels=labels, guidelines=guidelines, holdout_share=holdout_share, by=by, at=at
    )
    queue_open(project=project, **queue)
    return project

"""Which dataset versions somebody still needs, asked of all stages, and the rest let go by each project's policy."""

from collections import defaultdict
from datetime import datetime

from django.db.models import Q

from apps.datasets.models import DatasetVersion
from apps.datasets.versions.keeping import projects_tidy
from apps.training.models import OPEN_STATES, Run, RunState, Sweep


def versions_keep(*, at: datetime) -> list[DatasetVersion]:
    """Carry out the policies; returns the versions let go."""
    return projects_tidy(pins=versions_pinned(), at=at)


def versions_pinned() -> dict[int, set[int]]:
    """By project: what a model, a run that is or will be one, a run being repeated, or a sweep was trained on."""
    found: dict[int, set[int]] = defaultdict(set)
    becoming = Q(model_version=None, state=RunState.COMPLETED, reproduces=None)  # not judged yet
    runs = Run.objects.filter(Q(model_version__isnull=False) | Q(state__in=OPEN_STATES) | becoming)
    pinned = runs.exclude(dataset_version=None).values_list("project_id", "dataset_version_id")
    swept = Sweep.objects.exclude(dataset_version=None).values_list("project_id", "dataset_version_id")
    for project_id, version_id in [*pinned, *swept]:
        found[project_id].add(version_id)
    return dict(found)

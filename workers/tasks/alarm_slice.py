"""Hold the model of an alarm and the one that may mend it against each other, on the labels of the slice that judge."""

import numpy as np
from django.utils import timezone

from apps.integrations.ports import Unavailable
from apps.labeling.services.drift_lane import drift_lane_labels
from apps.loop.mending.closing import slice_measured
from apps.loop.mending.selectors import measured_against, mending_given, model_numbered
from apps.projects.models import Project
from apps.training.models import Run
from apps.work.jobs import task
from apps.work.names import Job
from workers.tasks.bundles import bundle_today
from workers.tasks.rows import rows_of
from workers.training.models.bundle import BundleUnreadable, predict


@task(Job.SLICE)
def slice_measure(mending_id: int) -> None:
    """Fetch, compute, record. Safe to do twice. A model that cannot be read is measured by nobody: it is asked for again."""
    mending = mending_given(mending_id)
    wanted = measured_against(mending) if mending is not None else None
    if mending is None or wanted is None:
        return
    project, before = mending.project, model_numbered(mending.project, mending.model_number)
    labeled = drift_lane_labels(project, mending.pk, judges=True)
    if before is None or not labeled:
        return
    try:
        was, now = (right_of(project, run, labeled) for run in (before.run, wanted.run))
    except (Unavailable, BundleUnreadable):
        return
    slice_measured(
        mending_id=mending.pk, number=wanted.number, judges=len(labeled), before=was, after=now, at=timezone.now()
    )


def right_of(project: Project, run: Run, labeled: list[tuple[int, str]]) -> int:
    """How many of (example, label) the model of a run answers right. Raises Unavailable, BundleUnreadable."""
    bundle = bundle_today(run)
    found = predict(bundle, rows_of(project, [pk for pk, _ in labeled], encoder=bundle.encoder))
    places, _ = bundle.learner.outputs.top(np.nan_to_num(found))
    return sum(bundle.labels[int(place)] == name for place, (_, name) in zip(places, labeled, strict=True))

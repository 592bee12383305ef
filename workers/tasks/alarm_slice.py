"""Hold the model of an alarm and the one that may mend it against each other, on the labels of the slice that judge."""

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.integrations.ports import Unavailable
from apps.labeling.services.drift_lane import drift_lane_labels
from apps.loop.mending.closing import slice_measured
from apps.loop.mending.selectors import measured_against, mending_given, model_numbered
from apps.loop.mending.shift import run_shift_of
from apps.projects.models import Project
from apps.projects.selectors import schema_of
from apps.rules.gates import GateResult, judge_drifted_slice
from apps.training.models import Run
from apps.work.jobs import task
from apps.work.names import Job
from workers.tasks.bundles import bundle_today
from workers.tasks.rows import rows_of
from workers.training.models.bundle import Bundle, BundleUnreadable, predict


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
        was, now = (int(right_of(project, bundle_today(run), labeled).sum()) for run in (before.run, wanted.run))
    except (Unavailable, BundleUnreadable):
        return
    slice_measured(
        mending_id=mending.pk, number=wanted.number, judges=len(labeled), before=was, after=now, at=timezone.now()
    )


def slice_gate(run: Run, candidate: Bundle | None, champion: Bundle | None) -> tuple[GateResult, ...]:
    """The gate of a run that an alarm started; none of any other run, or where its model cannot answer."""
    shift = run_shift_of(run)
    if shift is None or shift.mending_id is None or candidate is None:
        return ()
    labeled = drift_lane_labels(run.project, shift.mending_id, judges=True)
    theirs = right_of(run.project, champion, labeled) if champion is not None else None
    return (judge_drifted_slice(right_of(run.project, candidate, labeled), theirs),)


def right_of(project: Project, bundle: Bundle, labeled: list[tuple[int, str]]) -> NDArray[np.bool_]:
    """(n,) which of (example, label) a model answers right; it may know a label by the name that it had."""
    if not labeled:
        return np.zeros(0, bool)
    names = schema_of(project).today(bundle.labels)
    found = predict(bundle, rows_of(project, [pk for pk, _ in labeled], encoder=bundle.encoder))
    places, _ = bundle.learner.outputs.top(np.nan_to_num(found))
    return np.array([names[int(place)] == name for place, (_, name) in zip(places, labeled, strict=True)], bool)

"""After a full run was judged: hold it against the end of the incremental line, on the rows it was judged on."""

import logging

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.evaluation.freshness import gap_record, incremental_before
from apps.evaluation.models import FreshnessGap
from apps.integrations.ports import Unavailable
from apps.projects.selectors import schema_of
from apps.rules import metrics
from apps.training.models import Run
from workers.tasks.bundles import bundle_at
from workers.tasks.rows import rows_of
from workers.training.models.bundle import BundleUnreadable, predict

logger = logging.getLogger(__name__)


def gap_measure(
    run: Run, example_ids: list[int], truth: NDArray[np.int64], probabilities: NDArray[np.floating]
) -> FreshnessGap | None:
    """Compare `probabilities` (n, classes) of the full run with the line's own. None where there is no line to compare."""
    line = incremental_before(run)
    if line is None or not example_ids or not np.isfinite(probabilities).all():
        return None
    try:
        bundle = bundle_at(line.artifact_url)
    except (BundleUnreadable, Unavailable) as gone:
        logger.warning("Run %s is not compared with the incremental line: %s", run.pk, gone)
        return None
    today = schema_of(run.project).today
    found = predict(bundle, rows_of(run.project, example_ids, encoder=bundle.encoder))
    theirs = metrics.align(found, today(bundle.labels), today(run.label_names))
    accuracy = bundle.learner.outputs.compare(truth, probabilities, theirs, seed=run.seed)["accuracy"]
    if accuracy.value is None or accuracy.low is None:
        return None
    return gap_record(full=run, incremental=line, holdout_rows=len(truth), accuracy=accuracy, at=timezone.now())

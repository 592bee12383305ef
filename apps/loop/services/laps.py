"""Deploy to the clock: the predictor answers with a new champion, and the lap of its labels closes."""

from datetime import datetime

import numpy as np
from django.db import transaction

from apps.labeling.models import Label
from apps.releases.models import Promotion, PromotionKind
from apps.releases.services import serving_confirm
from apps.rules import clock
from apps.slas.models import Lap, Stage
from apps.slas.services import StageTimes, lap_record
from apps.work.alone import alone


def serving_confirmed(*, promotion_id: int, at: datetime) -> None:
    """The predictor answers with the promoted model: note it and close the lap."""
    serving_confirm(promotion_id=promotion_id, at=at)
    laps_close(at=at)


def laps_close(*, at: datetime) -> list[Lap]:
    """Write the laps of all promotions that serve and have none yet. A roll back closes no lap: it serves nothing new."""
    closed = set(Lap.objects.values_list("promotion_id", flat=True))
    open_promotions = Promotion.objects.filter(kind=PromotionKind.PROMOTE, serving_at__isnull=False).exclude(
        pk__in=closed
    )
    laps: list[Lap] = []
    for promotion in open_promotions.order_by("pk"):
        with alone("the lap", promotion.project):
            lap = lap_close(promotion)
            laps += [lap] if lap else []
    return laps


@transaction.atomic
def lap_close(promotion: Promotion) -> Lap | None:
    """One aggregate over exactly the labels that this model is the first served one to have seen; None when there are none."""
    assert promotion.serving_at is not None
    run, report, serving = promotion.version.run, promotion.version.report, promotion.serving_at
    assert run.started_at and run.finished_at
    fresh = Label.objects.filter(
        project_id=promotion.project_id, served_at=None, first_run_number__lte=run.number, resolved_at__lte=serving
    ).select_related("example__ingestion")
    rows = list(
        fresh.values_list(
            "pk",
            "example__collected_at",
            "example__ingestion__started_at",
            "example__ingested_at",
            "shown_at",
            "resolved_at",
        )
    )
    if not rows:
        return None
    moments = np.array(
        [
            [c.timestamp(), (s or i).timestamp(), i.timestamp(), v.timestamp(), r.timestamp()]
            for _, c, s, i, v, r in rows
        ]
    )
    collected, read, ingested, shown, resolved = moments.T
    n = len(rows)
    started, finished = run.started_at.timestamp(), run.finished_at.timestamp()
    timelines = {
        "collect": (np.maximum(read - collected, 0), ingested - np.maximum(read, collected)),
        "annotate": (shown - ingested, resolved - shown),
        "train": (started - resolved, np.full(n, finished - started)),
        "evaluate": (
            np.full(n, (report.started_at - run.finished_at).total_seconds()),
            np.full(n, (report.finished_at - report.started_at).total_seconds()),
        ),
        "deploy": (
            np.full(n, (promotion.at - report.finished_at).total_seconds()),
            np.full(n, (serving - promotion.at).total_seconds()),
        ),
    }
    summary = clock.lap(timelines)
    lap = lap_record(
        project=promotion.project,
        promotion_id=promotion.pk,
        model_number=promotion.version.number,
        labels=n,
        median_s=summary.p50_s,
        p90_s=summary.p90_s,
        longest_s=summary.max_s,
        waiting_share=summary.waiting_share,
        stages={
            Stage(shown.stage): StageTimes(shown.wait_s, shown.work_s, median.wait_s, median.work_s)
            for shown, median in zip(summary.shown, summary.medians, strict=True)
        },
        at=serving,
    )
    Label.objects.filter(pk__in=[row[0] for row in rows]).update(served_at=serving)
    return lap

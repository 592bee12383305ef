"""Keep a tracking server up to date with the runs: one row says what it has of each run, a tick writes the rest.

The console is the truth and never waits for the server: what could not be written is written later, with growing pauses.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.evaluation.models import Report
from apps.integrations import wiring
from apps.integrations.ports import TrackedMetric, TrackedModel, TrackedRun, Tracking, Unavailable
from apps.releases.models import Alias, Mirrored, ModelVersion
from apps.training.models import OPEN_STATES, Run, RunPoint, RunState
from apps.work.alone import alone
from apps.work.retries import due

logger = logging.getLogger(__name__)
AT_ONCE = 20  # runs a tick; 10,000 old ones are there after two hours
POINT_METRICS = ("train_loss", "validation_loss", "holdout_loss", "holdout_accuracy", "learning_rate", "samples_per_s")


def mirror_all(*, at: datetime) -> int:
    """Write what the server lacks, oldest run first; returns how many runs were written. Nothing where none is set."""
    tracking = wiring.tracking()
    if tracking is None:
        return 0
    written = 0
    for run in _lacking(at)[:AT_ONCE]:
        with alone("the mirror", run):
            written += _mirrored(run, tracking, at)
    return written


def _lacking(at: datetime) -> QuerySet[Run]:
    """Runs of which the server has nothing, or an older state, fewer points, no model, or other aliases."""
    aliases = Alias.objects.filter(version__run=OuterRef("pk"))
    held = Subquery(aliases.order_by().values("version").annotate(n=Count("pk")).values("n"))
    written = Func("mirrored__aliases", function="jsonb_array_length", output_field=IntegerField())
    changed = (
        Q(mirrored=None)
        | ~Q(mirrored__state=F("state"))
        | Q(state__in=OPEN_STATES, mirrored__step__lt=F("step"))
        | Q(model_version__isnull=False, mirrored__registry_version="")
        | Exists(aliases.filter(set_at__gt=OuterRef("mirrored__at")))
        | ~Q(held=F("written"))  # one that went leaves no newer row
    )
    counted = Run.objects.annotate(held=Coalesce(held, 0), written=Coalesce(written, 0))
    rows = counted.filter(changed, due(at, "mirrored__"), reproduces=None).select_related("project", "dataset_version")
    return rows.order_by("pk")


def _mirrored(run: Run, tracking: Tracking, at: datetime) -> bool:
    row, _ = Mirrored.objects.get_or_create(run=run)
    if not row.try_claim(at):
        return False  # another worker has just begun
    wanted = _tracked(run, row)
    try:
        told = tracking.mirror(wanted)
    except Unavailable as away:
        logger.warning("%s Next try in %s.", away, row.try_failed(at, str(away)))
        return False
    row.try_done(
        tracking_run=told.tracking_run,
        registry_version=told.registry_version,
        state=wanted.state,
        step=max([row.step, *(m.step for m in wanted.metrics)], default=0),
        aliases=sorted(wanted.aliases),
        at=at,
    )
    return True


def _tracked(run: Run, row: Mirrored) -> TrackedRun:
    version = ModelVersion.objects.filter(run=run).first()
    aliases = (
        frozenset(Alias.objects.filter(version=version).values_list("name", flat=True)) if version else frozenset()
    )
    data = run.dataset_version
    return TrackedRun(
        key=f"{run.pk}",
        experiment=run.project.slug,
        name=f"run {run.number}",
        state=run.state,
        started_ms=_ms(run.started_at or run.queued_at),
        ended_ms=_ms(run.finished_at) if run.finished_at else None,
        params={**run.recipe, "seed": run.seed},
        tags={
            "fastloop.kind": run.kind,
            "fastloop.trigger": run.trigger,
            "fastloop.device": run.device,
            "fastloop.data_version": str(data.number) if data else "",
            "fastloop.error": run.error,
            "mlflow.source.git.commit": run.code_version,
        },
        metrics=[*_points(run.points.filter(step__gt=row.step)), *_verdict(run)],
        registry_name=run.project.slug,
        aliases=aliases,
        tracking_run=row.tracking_run,
        registry_version=row.registry_version,
        model=TrackedModel(
            f"v{version.number}",
            f"{run.project.slug}-v{version.number}.safetensors",
            lambda: wiring.storage().read(run.artifact_url),
        )
        if version
        else None,
    )


def _points(points: Iterable[RunPoint]) -> list[TrackedMetric]:
    return [
        TrackedMetric(name, value, point.step, _ms(point.at))
        for point in points
        for name in POINT_METRICS
        if (value := getattr(point, name)) is not None
    ]


def _verdict(run: Run) -> list[TrackedMetric]:
    """What the holdout said, once, at the last step."""
    report = Report.objects.filter(run=run).first() if run.state == RunState.COMPLETED else None
    if report is None:
        return []
    return [
        TrackedMetric(f"verdict_{name}", metric["value"], run.step, _ms(report.finished_at))
        for name, metric in report.metrics.items()
        if isinstance(metric, dict) and metric.get("value") is not None
    ]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

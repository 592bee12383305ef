"""What closes the circle: the steps that touch more than one stage. Each stage's own rules stay in its own app."""

import contextlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

import fsspec
import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets import readers
from apps.datasets import services as datasets
from apps.datasets.models import Example, Ingestion, IngestionState
from apps.errors import DomainError
from apps.evaluation.selectors import predictions_of
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.labeling.models import Annotation, Frontier, Label
from apps.labeling.selectors import counts_of
from apps.labeling.services.frontier import frontier_refill
from apps.labeling.services.labels import labels_import
from apps.loop.jobs import LoopJob
from apps.monitoring.models import DriftCheck, Prediction
from apps.monitoring.services import Reference, drift_check
from apps.projects.models import Project
from apps.releases.models import AliasName, Promotion, PromotionKind
from apps.releases.selectors import champion_of
from apps.releases.services import serving_confirm
from apps.rules import clock, trigger
from apps.slas.models import Lap, Stage
from apps.slas.services import StageTimes, lap_record
from apps.training.jobs import Job, Queue
from apps.training.models import OPEN_STATES, Run, RunKind, RunState, Trigger
from apps.training.services.runs import NotEnoughLabels, run_start

logger = logging.getLogger(__name__)
JUDGED_WITHIN = timedelta(seconds=60)  # judging takes a few seconds; after a minute its worker is dead


class NoChampion(DomainError):
    code = "no_champion"


# Collect -> annotate: examples come in, their vectors are asked for, the queue sees them.


def upload_take(*, project: Project, filename: str, size_bytes: int, chunks: Iterable[bytes], by: User, at: datetime) -> Ingestion:
    """Keep an uploaded file and have it read by the default queue; the sweep finds it when Redis is away."""
    ingestion = datasets.upload_receive(
        project=project, filename=filename, size_bytes=size_bytes, chunks=chunks, by=by, at=at
    )
    ingestion_send(ingestion.pk)
    return ingestion


def ingestion_send(ingestion_id: int) -> None:
    with contextlib.suppress(Unavailable):
        wiring.jobs.send(LoopJob.INGEST, args=(ingestion_id,), queue=Queue.DEFAULT)


def ingestion_read(*, ingestion_id: int) -> None:
    """Read an uploaded file to its end, or to the sentence that says why not."""
    ingestion = datasets.ingestion_claim(ingestion_id=ingestion_id, at=timezone.now())
    if ingestion is None:
        return
    error = ""
    try:
        with fsspec.open(ingestion.url, "rb") as file:
            ingestion.rows_expected = readers.rows_expected(file, ingestion.url)
            ingestion.save(update_fields=["rows_expected"])
        with fsspec.open(ingestion.url, "rb") as file:
            _take(ingestion, readers.rows_of(file, ingestion.url))
    except readers.FileUnreadable as cause:
        error = str(cause)
    except OSError as cause:
        error = f"The kept file could not be opened: {cause}"
    datasets.ingestion_close(ingestion=ingestion, at=timezone.now(), error=error)
    examples_follow_up(ingestion.project, at=timezone.now())


def batch_take(*, project: Project, rows: list[dict[str, object]], source: str, by: User | None, at: datetime) -> Ingestion:
    """Take a batch of the API at once. Bad rows go to the dead letters; the answer counts them."""
    ingestion = datasets.ingestion_open(project=project, source=source, by=by, at=at)
    claimed = datasets.ingestion_claim(ingestion_id=ingestion.pk, at=at)
    assert claimed is not None  # nobody else knows its id yet
    _take(claimed, (readers.Row(i, row) for i, row in enumerate(rows, start=1)))
    datasets.ingestion_close(ingestion=claimed, at=timezone.now())
    examples_follow_up(project, at=timezone.now())
    return claimed


def _take(ingestion: Ingestion, rows: Iterable[readers.Row]) -> None:
    project = ingestion.project
    datasets.examples_ingest(
        ingestion=ingestion,
        rows=rows,
        now=timezone.now,
        on_labeled=lambda labeled: _import_labels(project, labeled),
    )


def _import_labels(project: Project, labeled: "Iterable[datasets.Labeled]") -> None:
    labels_import(project=project, labeled=list(labeled), at=timezone.now())


def examples_follow_up(project: Project, *, at: datetime) -> None:
    """After new examples: slots for people, vectors for the model."""
    frontier_refill(project=project, at=at, seed=_seed(at), redraw=True)
    if project.task_type == "text-classification":
        with contextlib.suppress(Unavailable):
            wiring.jobs.send(Job.EMBED, args=(project.pk,), queue=Queue.EMBEDDING)


# Annotate -> train: a person's click or the trigger.


def run_start_now(*, project: Project, kind: str, by: User | None, at: datetime, reason: str = "", seed: int = 0) -> Run:
    """Start a run from the champion. Without a champion an incremental run has nothing to start from and is made full."""
    champion = champion_of(project)
    base = champion.run if champion and kind == RunKind.INCREMENTAL else None
    words = reason or f"{by} asked for it."
    if base is not None and counts_of(project).fresh == 0:
        raise NotEnoughLabels(
            f"No label is new since run {base.number}, so there is nothing to add. Label more, or train in full."
        )
    if kind == RunKind.INCREMENTAL and base is None:
        kind, words = RunKind.FULL, f"{words} There is no champion yet, so it trains in full."
    return run_start(project=project, kind=kind, trigger=words, base_run=base, by=by, at=at, seed=seed)


def triggers_check(*, at: datetime) -> list[Run]:
    """Start a run in every project whose trigger is due."""
    started = []
    for row in Trigger.objects.filter(enabled=True).select_related("project"):
        fresh = counts_of(row.project).fresh
        last_label = Annotation.objects.filter(project=row.project).order_by("-id").values_list("answered_at", flat=True).first()
        last_run = Run.objects.filter(project=row.project).order_by("-number").values_list("queued_at", flat=True).first()
        decision = trigger.due(
            at, new_labels=fresh, needed=row.new_labels, last_label_at=last_label, last_run_at=last_run,
            debounce_s=row.debounce_s, run_open=Run.objects.filter(project=row.project, state__in=OPEN_STATES).exists(),
        )  # fmt: skip
        if not decision.fire:
            continue
        try:
            started.append(run_start_now(project=row.project, kind=row.kind, by=None, at=at, reason=decision.reason))
        except DomainError as refused:  # one class only, or somebody was faster: nothing to wake anybody for
            logger.info("%s: the trigger did not start a run: %s", row.project, refused.message)
    return started


# Deploy -> clock: the predictor answers, the lap closes.


def serving_confirmed(*, promotion_id: int, at: datetime) -> None:
    """The predictor answers with the promoted model: note it and close the lap."""
    serving_confirm(promotion_id=promotion_id, at=at)
    laps_close(at=at)


def laps_close(*, at: datetime) -> list[Lap]:
    """Write the laps of all promotions that serve and have none yet. A roll back closes no lap: it serves nothing new."""
    closed = set(Lap.objects.values_list("promotion_id", flat=True))
    open_promotions = Promotion.objects.filter(kind=PromotionKind.PROMOTE, serving_at__isnull=False).exclude(pk__in=closed)
    found = (lap_close(promotion) for promotion in open_promotions.order_by("pk"))
    return [lap for lap in found if lap]


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
            "pk", "example__collected_at", "example__ingestion__started_at", "example__ingested_at", "shown_at", "resolved_at"
        )
    )
    if not rows:
        return None
    moments = np.array(
        [[c.timestamp(), (s or i).timestamp(), i.timestamp(), v.timestamp(), r.timestamp()] for _, c, s, i, v, r in rows]
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
        project=promotion.project, promotion_id=promotion.pk, model_number=promotion.version.number, labels=n,
        median_s=summary.p50_s, p90_s=summary.p90_s, longest_s=summary.max_s, waiting_share=summary.waiting_share,
        stages={
            Stage(shown.stage): StageTimes(shown.wait_s, shown.work_s, median.wait_s, median.work_s)
            for shown, median in zip(summary.shown, summary.medians, strict=True)
        },
        at=serving,
    )  # fmt: skip
    Label.objects.filter(pk__in=[row[0] for row in rows]).update(served_at=serving)
    return lap


# Monitor -> collect: look for drift.


def drift_check_now(*, project: Project, at: datetime, seed: int | None = None) -> DriftCheck:
    champion = champion_of(project)
    if champion is None:
        raise NoChampion("No model serves yet, so there is nothing that could drift. Promote one first.")
    said = predictions_of(champion.report)
    reference = Reference(champion.report.label_names, said.predicted, said.confidence)
    return drift_check(
        project=project, model_number=champion.number, reference=reference, at=at, seed=_seed(at) if seed is None else seed
    )


def _seed(at: datetime) -> int:
    return int(at.timestamp()) % 2**31


def everything_refilled(*, at: datetime) -> None:
    """Top up every queue. One project's fault does not keep the others waiting."""
    for project in Project.objects.all():
        try:
            frontier_refill(project=project, at=at, seed=_seed(at))
            _score_again_if_grown(project)
        except Exception:
            logger.exception("The queue of %s could not be topped up.", project)
            connection.close_if_unusable_or_obsolete()


def verdicts_sweep(*, at: datetime) -> list[int]:
    """Runs that completed but were never judged, because their worker died in between: judge them now."""
    waiting = Run.objects.filter(state=RunState.COMPLETED, report=None, finished_at__lt=at - JUDGED_WITHIN)
    ids = list(waiting.values_list("pk", flat=True))
    for run_id in ids:
        with contextlib.suppress(Unavailable):
            wiring.jobs.send(Job.EVALUATE, args=(run_id,), queue=Queue.TRAINING)
    return ids


def ingestions_sweep(*, at: datetime) -> None:
    """Uploads whose message was lost, or whose reader died: read them now. Claiming makes a second reader do nothing."""
    waiting = Ingestion.objects.filter(state=IngestionState.QUEUED, received_at__lt=at - timedelta(seconds=20)).exclude(url="")
    stalled = Ingestion.objects.filter(state=IngestionState.RUNNING, heartbeat_at__lt=at - datasets.STALLED).exclude(url="")
    for ingestion in [*waiting, *stalled]:
        ingestion_send(ingestion.pk)


def drift_check_all(*, at: datetime) -> None:
    """The scheduled check: every project whose champion answered something since the last one."""
    for project in Project.objects.filter(aliases__name=AliasName.CHAMPION):
        last = DriftCheck.objects.filter(project=project).first()
        news = Prediction.objects.filter(project=project)
        if last:
            news = news.filter(at__gt=last.at)
        if news.exists():
            drift_check_now(project=project, at=at)


def _score_again_if_grown(project: Project) -> None:
    """Examples that came after the last scoring have no rank in the active lane yet: have the newest model score again."""
    frontier = Frontier.objects.filter(project=project, scored_at__isnull=False).first()
    newest = Example.objects.filter(project=project).order_by("-id").first()
    if frontier is None or newest is None or newest.ingested_at <= frontier.scored_at:
        return
    run = Run.objects.filter(project=project, number=frontier.run_number).first()
    if run:
        with contextlib.suppress(Unavailable):
            wiring.jobs.send(Job.SCORE, args=(run.pk,), queue=Queue.EMBEDDING)

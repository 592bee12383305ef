"""Between a training and its run: reports and notices to the row, checkpoints to storage and back."""

import errno
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from django.utils import timezone

from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.rules.training_report import TrainingReport
from apps.training.models import Run
from apps.training.services.reporting import run_checkpointed, run_checkpoints_dropped, run_noted, run_phase, run_report
from workers.training.fit.reports import FitResult, Listeners
from workers.training.refusals import CheckpointUnreadable

logger = logging.getLogger(__name__)
FULL = (errno.ENOSPC, errno.EDQUOT)


class CheckpointDiskFull(RuntimeError):
    """No checkpoint fits any more, so nor would the model: better to say so now than after hours."""


def listeners(run: Run, should_stop: Callable[[], bool]) -> Listeners:
    return Listeners(
        on_report=lambda report: report_keep(run, report),
        on_checkpoint=lambda blob: checkpoint_keep(run, blob),
        on_notice=lambda sentence: notice_keep(run, sentence),
        should_stop=should_stop,
    )


def from_checkpoints(run: Run, fitted: Callable[[bytes | None], FitResult]) -> FitResult:
    """Go on from the newest checkpoint; where it is damaged from the one before, else from the start."""
    known = [url for url in (run.checkpoint_url, run.earlier_checkpoint_url) if url]
    for place, url in enumerate(known, start=1):
        try:
            return fitted(wiring.storage().read(url))
        except (CheckpointUnreadable, Unavailable) as broken:
            way = "going back one checkpoint" if place < len(known) else "starting again"
            run_phase(run_id=run.pk, owner=owner_of(run), phase=f"{way}: {broken}", at=timezone.now())
    return fitted(None)


def checkpoint_keep(run: Run, blob: bytes) -> None:
    """Keep the newest two. A store that is away costs a checkpoint; a full disk ends the run. Raises CheckpointDiskFull."""
    at = timezone.now()
    try:
        url = wiring.storage().write(f"checkpoints/{run.project_id}/{run.pk}-{at:%H%M%S%f}.pt", blob)
    except Unavailable as fault:
        if full(fault):
            raise CheckpointDiskFull(
                f"The disk is full: the checkpoint after step {run.step:,} could not be written. "
                f"Free {len(blob) / 1e6:,.0f} MB at least and start the run again. ({fault})"
            ) from fault
        notice_keep(run, f"going on without this checkpoint: {fault}")
        return
    unneeded = run_checkpointed(run_id=run.pk, owner=owner_of(run), url=url, step=run.step, size_bytes=len(blob), at=at)
    run.checkpoint_url, run.earlier_checkpoint_url = url, run.checkpoint_url
    if unneeded:
        wiring.storage().remove(unneeded)


def checkpoints_drop(run: Run) -> None:
    """A completed run is never resumed."""
    for url in run_checkpoints_dropped(run_id=run.pk):
        wiring.storage().remove(url)


def full(fault: BaseException) -> bool:
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in FULL:
            return True
        cause = cause.__cause__
    return False


def notice_keep(run: Run, sentence: str) -> None:
    logger.warning("%s: %s", run, sentence)
    run_noted(run_id=run.pk, owner=owner_of(run), text=sentence, at=timezone.now())


def report_keep(run: Run, report: TrainingReport) -> None:
    run.step = report.step
    run_report(run_id=run.pk, owner=owner_of(run), report=report, at=datetime.now(UTC))


def owner_of(run: Run) -> uuid.UUID:
    assert run.owner is not None  # a claimed run has one
    return run.owner

"""Vectors of a window by the champion's encoder: wanted by a look, made by a worker, waited for a while and no longer."""

from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from apps.monitoring.models import AskedPayload, VectorsFault, WindowVectors
from apps.projects.models import Project
from apps.rules.log_sample import evenly
from apps.rules.monitors.embedding_drift import MOST
from apps.work.jobs import ask
from apps.work.names import Job

WAIT = timedelta(
    minutes=15
)  # a worker that trains has its second thread for this: 400 texts take 2 s, a restart of it 30 s
MOST_ROWS = 2_000  # kept requests of a window, the newest, that are read
MOST_WINDOWS = 60  # of a project whose vectors are kept, the newest: 400 of 384 numbers are 300 kB


class WindowWaits(Exception):
    """What is read of the window is still being made; the next look asks again."""


def window_vectors(
    project: Project, encoder: str, since: datetime, until: datetime, *, at: datetime
) -> WindowVectors | None:
    """Those of the window, which may have a fault instead; None where they did not come in time. Raises WindowWaits."""
    row, created = WindowVectors.objects.get_or_create(
        project=project, encoder=encoder, since=since, until=until, defaults={"wanted_at": at}
    )
    if row.made_at is not None:
        return row
    if at >= row.wanted_at + WAIT:
        return None
    if created:
        _forget_oldest(project)
    transaction.on_commit(lambda: _ask(row.pk))  # at each look anew: a message may be lost, and twice is once
    raise WindowWaits


def _ask(row_id: int) -> None:
    ask(Job.WINDOW_VECTORS, row_id)


def _forget_oldest(project: Project) -> None:
    mine = WindowVectors.objects.filter(project=project)
    mine.filter(pk__in=list(mine.values_list("pk", flat=True)[MOST_WINDOWS:])).delete()


def window_vectors_given(row_id: int) -> WindowVectors | None:
    """For a worker that was sent the id; None where it is made or gone."""
    wanted = WindowVectors.objects.select_related("project").filter(pk=row_id, made_at=None)
    return wanted.filter(project__archived_at=None, project__deleting_since=None).first()


def window_requests(row: WindowVectors) -> list[AskedPayload]:
    """What is encoded of a window: at most MOST of its kept requests, spread evenly over the newest."""
    kept = kept_in(row.project, row.since, row.until)
    return [kept[int(place)] for place in np.linspace(0, len(kept) - 1, min(MOST, len(kept)))]


def kept_in(project: Project, since: datetime, until: datetime) -> list[AskedPayload]:
    """The newest kept requests of a window, as if the log had been drawn evenly."""
    rows = AskedPayload.objects.filter(project=project, at__gt=since, at__lte=until)
    newest = list(rows.order_by("-at", "-id")[:MOST_ROWS])
    return evenly(newest, [each.inference_id for each in newest], [each.share for each in newest])


def window_vectors_record(
    *, row_id: int, vectors: NDArray[np.float16] | None, at: datetime, fault: VectorsFault | None = None
) -> None:
    """(n, dim), or none and a fault. Rows without a direction, which the encoder failed on, are left out. The first that comes
    stays."""
    found = np.zeros((0, 0), np.float16) if vectors is None else vectors.astype(np.float16)
    usable = found[np.isfinite(found).all(axis=1) & found.any(axis=1)]
    WindowVectors.objects.filter(pk=row_id, made_at=None).update(
        made_at=at,
        n=len(usable),
        dim=usable.shape[1],
        vectors=usable.tobytes(),
        fault="" if len(usable) else fault or VectorsFault.UNREAD,
    )

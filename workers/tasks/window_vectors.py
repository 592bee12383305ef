"""See what was asked in a window as the champion's encoder does, for the monitor of texts and pictures."""

from django.utils import timezone

from apps.integrations.ports import Unavailable
from apps.monitoring.models import VectorsFault
from apps.monitoring.monitors.vectors import window_requests, window_vectors_given, window_vectors_record
from apps.work.jobs import task
from apps.work.names import Job
from workers.encoders import encoder_ready
from workers.tasks.rows import asked_rows
from workers.training.encoders.encoder import EncoderMissing, encoded


@task(Job.WINDOW_VECTORS)
def window_vectors(row_id: int) -> None:
    """Fetch, compute, record. Safe to do twice. While a store is away nothing is recorded: the next look asks again."""
    row = window_vectors_given(row_id)
    if row is None:
        return
    try:
        encoder_ready(row.encoder)
        read = asked_rows(row.project, window_requests(row))
        vectors, fault = (encoded(row.encoder, read), None) if read else (None, VectorsFault.UNREAD)
    except Unavailable:
        return
    except EncoderMissing:
        vectors, fault = None, VectorsFault.MISSING
    window_vectors_record(row_id=row.pk, vectors=vectors, at=timezone.now(), fault=fault)

"""Try an encoder that somebody brought, before any project may choose it."""

from apps.features.models import Encoder
from apps.features.selectors import encoder_given
from apps.features.services import encoder_checked
from apps.work.endings import attempt
from apps.work.jobs import task
from apps.work.names import Job
from workers.encoders import fetched
from workers.training.encoders.encoder import EncoderMissing
from workers.training.encoders.folder import FolderEncoder

SAMPLE = "A sentence to try it on."


@task(Job.ENCODER)
def check(encoder_id: int) -> None:
    """Load it and encode one sentence; twice does no harm."""
    row = encoder_given(encoder_id)
    ending = attempt(lambda: _dim_of(row), what="Loading it", refusals=(EncoderMissing, OSError))
    encoder_checked(encoder_id=row.pk, dim=ending.result or 0, error=ending.sentence)


def _dim_of(row: Encoder) -> int:
    found = FolderEncoder(row.name, fetched(row.url))
    vectors = found.encode([SAMPLE])
    if vectors.shape != (1, found.dim) or not vectors.any():
        raise EncoderMissing(f"It made {vectors.shape} of one sentence, and should have made (1, {found.dim}).")
    return found.dim

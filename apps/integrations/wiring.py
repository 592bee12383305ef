"""Which adapter stands behind which port. Tests swap them here."""

from functools import lru_cache

from django.conf import settings

from apps.integrations.celery_jobs import CeleryJobs
from apps.integrations.delta import DeltaTables
from apps.integrations.fsspec_storage import FsspecStorage
from apps.integrations.mlflow import MlflowTracking
from apps.integrations.ports import JobQueue, Predictor, Storage, Tables, Tracking
from apps.integrations.predictor import HttpPredictor

jobs: JobQueue = CeleryJobs()
predictor: Predictor = HttpPredictor()
tables: Tables = DeltaTables()


def storage() -> Storage:
    return FsspecStorage()


def tracking() -> Tracking | None:
    """None where no tracking server is set, which is the default."""
    return _tracking(settings.MLFLOW_TRACKING_URI) if settings.MLFLOW_TRACKING_URI else None


@lru_cache(maxsize=1)
def _tracking(uri: str) -> Tracking:
    return MlflowTracking(uri)

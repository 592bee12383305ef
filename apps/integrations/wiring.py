"""Which adapter stands behind which port. Tests swap them here."""

from apps.integrations.celery_jobs import CeleryJobs
from apps.integrations.delta import DeltaTables
from apps.integrations.fsspec_storage import FsspecStorage
from apps.integrations.ports import JobQueue, Predictor, Storage, Tables
from apps.integrations.predictor import HttpPredictor

jobs: JobQueue = CeleryJobs()
predictor: Predictor = HttpPredictor()
tables: Tables = DeltaTables()


def storage() -> Storage:
    return FsspecStorage()

"""The integrations by name; of those of one port the first is used unless the settings name another."""

from apps.integrations.celery_jobs import CELERY_JOBS
from apps.integrations.delta import DELTA
from apps.integrations.fsspec_storage import FSSPEC_STORAGE
from apps.integrations.integration import Integration
from apps.integrations.mlflow import MLFLOW
from apps.integrations.predictor import PREDICTOR
from apps.rules.registry import Registry

INTEGRATIONS = Registry[Integration](
    group="fastloop.integrations",
    noun="integration",
    kind=Integration,
    own=(CELERY_JOBS, DELTA, FSSPEC_STORAGE, MLFLOW, PREDICTOR),
)

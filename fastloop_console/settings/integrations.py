"""Outside systems, by address."""

from fastloop_console import env

STORAGE_URL = env.storage_url()
PREDICTOR_URL = env.predictor_url()

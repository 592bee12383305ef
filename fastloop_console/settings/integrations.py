"""Outside systems, by address."""

from fastloop_console.machine import env

INTEGRATIONS = env.integrations()
STORAGE_URL = env.storage_url()
PREDICTOR_URL = env.predictor_url()
MLFLOW_TRACKING_URI = env.mlflow_tracking_uri()
TRAIN_PROCESSES = env.train_processes()
TRAIN_NODES = env.train_nodes()
TRAIN_RENDEZVOUS = env.train_rendezvous()
TRAIN_FOLDER = env.train_folder()

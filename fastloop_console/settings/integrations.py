"""Outside systems, by address."""

from fastloop_console.machine import env

INTEGRATIONS = env.integrations()
STORAGE_URL = env.storage_url()
PREDICTOR_URL = env.predictor_url()
PREDICTOR_MAX_BATCH_SIZE = env.predictor_max_batch_size()
PREDICTOR_MAX_LATENCY_MS = env.predictor_max_latency_ms()
MLFLOW_TRACKING_URI = env.mlflow_tracking_uri()
KAFKA_BROKERS = env.kafka_brokers()
KAFKA_OPTIONS_FILE = env.kafka_options_file()
KAFKA_SCHEMA_REGISTRY = env.kafka_schema_registry()
TRAIN_PROCESSES = env.train_processes()
TRAIN_NODES = env.train_nodes()
TRAIN_RENDEZVOUS = env.train_rendezvous()
TRAIN_FOLDER = env.train_folder()

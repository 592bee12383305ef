"""Jobs. The row is the truth: a message that Redis lost is sent again by the sweep, one delivered twice does nothing."""

from datetime import timedelta

from fastloop_console.machine import embedded, env

CELERY_BROKER_URL = env.redis_url() or embedded.known_urls(env.home()).redis
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # the run's own lease says who trains
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "retry_on_timeout": True,
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULE_FILENAME = str(env.home() / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "what was lost is sent again": {"task": "loop.sweep", "schedule": timedelta(seconds=5)},
    "triggers are looked at": {"task": "loop.triggers", "schedule": timedelta(seconds=5)},
    "runs by the clock": {"task": "loop.schedules", "schedule": timedelta(seconds=20)},
    "queues are topped up": {"task": "loop.refill", "schedule": timedelta(seconds=30)},
    "learners read what is new": {"task": "loop.online", "schedule": timedelta(minutes=1)},
    "consensus is compared": {"task": "labeling.quality_look", "schedule": timedelta(minutes=1)},
    "drift is looked for": {"task": "loop.drift", "schedule": timedelta(minutes=5)},
}
if env.mlflow_tracking_uri():
    CELERY_BEAT_SCHEDULE["a tracking server is kept up to date"] = {
        "task": "loop.mirror",
        "schedule": timedelta(seconds=15),
    }

"""Jobs. The row is the truth: a message that Redis lost is sent again by the sweep, one delivered twice does nothing."""

from datetime import timedelta

from apps.work.names import Job
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
    "what was lost is sent again": {"task": str(Job.SWEEP), "schedule": timedelta(seconds=5)},
    "events that wait are read": {"task": str(Job.SOURCES_LOOK), "schedule": timedelta(seconds=1)},
    "triggers are looked at": {"task": str(Job.TRIGGERS), "schedule": timedelta(seconds=5)},
    "labels by the model are asked for": {"task": str(Job.AUTO_LABELS_LOOK), "schedule": timedelta(seconds=5)},
    "runs by the clock": {"task": str(Job.SCHEDULES), "schedule": timedelta(seconds=20)},
    "queues are topped up": {"task": str(Job.REFILL), "schedule": timedelta(seconds=30)},
    "what choosing was worth is measured": {"task": str(Job.MEASURES_LOOK), "schedule": timedelta(seconds=30)},
    "learners read what is new": {"task": str(Job.ONLINE_LOOK), "schedule": timedelta(minutes=1)},
    "consensus is compared": {"task": str(Job.CONSENSUS_LOOK), "schedule": timedelta(minutes=1)},
    "drift is looked for": {"task": str(Job.DRIFT), "schedule": timedelta(minutes=5)},
    "quiet hours of streams are closed": {"task": str(Job.SOURCES_TIDY), "schedule": timedelta(minutes=5)},
    "what nothing needs is removed": {"task": str(Job.TIDY), "schedule": timedelta(minutes=5)},
}
if env.mlflow_tracking_uri():
    CELERY_BEAT_SCHEDULE["a tracking server is kept up to date"] = {
        "task": str(Job.MIRROR),
        "schedule": timedelta(seconds=15),
    }

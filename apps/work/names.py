"""Names of all jobs and of the queues they wait in. Pure: the beat and the settings read them without Django."""

from enum import StrEnum


class Queue(StrEnum):
    DEFAULT = "default"  # quick jobs, in a process without torch
    TRAINING = "training"
    EMBEDDING = "embedding"  # as the one before, of the torch worker


class Job(StrEnum):
    """`workers.*` need torch; the web process sends them by name and never imports them."""

    INGEST = "loop.ingest"
    SWEEP = "loop.sweep"
    TRIGGERS = "loop.triggers"
    AUTO_LABELS_LOOK = "loop.auto_labels"
    REFILL = "loop.refill"
    MEASURES_LOOK = "loop.measures"
    DRIFT = "loop.drift"
    TIDY = "loop.tidy"
    SCHEDULES = "loop.schedules"
    ONLINE_LOOK = "loop.online"
    MIRROR = "loop.mirror"
    PROJECT_DELETE = "loop.project_delete"
    VECTORS_CLEAR = "loop.vectors_clear"
    RETURNED = "loop.returned"
    SOURCES_LOOK = "sources.look"
    SOURCE_READ = "sources.read"
    SOURCES_TIDY = "sources.tidy"
    WEBHOOKS = "webhooks.send"
    MAILS = "notices.mail"
    MAIL_TRIAL = "notices.mail_trial"
    CONSENSUS_LOOK = "labeling.quality_look"
    SETTLE = "labeling.settle"
    TRAIN = "workers.train"
    TRIAL = "workers.trial"
    ONLINE = "workers.online"
    EVALUATE = "workers.evaluate"
    EMBED = "workers.embed"
    ENCODER = "workers.encoder"
    SCORE = "workers.score"
    SCORE_PART = "workers.score_part"
    MEASURE = "workers.measure"
    AUTO_LABEL = "workers.auto_label"
    CONSENSUS = "workers.consensus"
    SUSPECTS = "workers.suspects"
    SLICE = "workers.slice"
    WINDOW_VECTORS = "workers.window_vectors"

    @property
    def queue(self) -> Queue:
        if not self.startswith("workers."):
            return Queue.DEFAULT
        return Queue.TRAINING if self in _TRAINING else Queue.EMBEDDING


_TRAINING = frozenset({Job.TRAIN, Job.TRIAL, Job.ONLINE, Job.EVALUATE})  # long; what is quick must not wait behind them

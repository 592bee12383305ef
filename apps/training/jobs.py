"""Names of the jobs that need torch. The web process knows the names and nothing else of them."""

from enum import StrEnum


class Job(StrEnum):
    TRAIN = "workers.train"
    EVALUATE = "workers.evaluate"
    EMBED = "workers.embed"
    SCORE = "workers.score"
    SCORE_PART = "workers.score_part"
    MEASURE = "workers.measure"
    AUTO_LABEL = "workers.auto_label"
    TRIAL = "workers.trial"
    ONLINE = "workers.online"


class Queue(StrEnum):
    DEFAULT = "default"
    TRAINING = "training"
    EMBEDDING = "embedding"

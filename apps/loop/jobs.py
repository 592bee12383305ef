"""Names of the quick jobs, those that need no torch."""

from enum import StrEnum


class LoopJob(StrEnum):
    INGEST = "loop.ingest"
    SWEEP = "loop.sweep"
    TRIGGERS = "loop.triggers"
    REFILL = "loop.refill"
    DRIFT = "loop.drift"
    SCHEDULES = "loop.schedules"
    ONLINE = "loop.online"
    MIRROR = "loop.mirror"

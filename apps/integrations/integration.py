"""What every integration declares: the port that it serves, where its system is, and how its adapter is made."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from apps.integrations.ports import JobQueue, Predictor, Storage, Tables, Tracking


class Port(StrEnum):
    """What the loop asks of outside systems; each is a Protocol of ports.py."""

    JOBS = "jobs"
    STORAGE = "storage"
    TABLES = "tables"
    PREDICTOR = "predictor"
    TRACKING = "tracking"


PROTOCOLS: dict[Port, type] = {
    Port.JOBS: JobQueue,
    Port.STORAGE: Storage,
    Port.TABLES: Tables,
    Port.PREDICTOR: Predictor,
    Port.TRACKING: Tracking,
}


@dataclass(frozen=True)
class Integration:
    """One outside system. `make` gets the value of `setting`; an empty one means that nobody has such a system.

    Without a `setting` it needs no address, or its adapter looks for it at each use.
    """

    name: str
    title: str
    port: Port
    make: Callable[[str], Any]
    setting: str = ""

"""What the loop asks of outside systems, as Protocols and frozen dataclasses. Adapters stand beside this file, one each."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa


class Unavailable(Exception):
    """An outside system did not answer. `permanent` says whether asking again can help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class NotLoaded(Unavailable):
    """The predictor answers, but does not have this model, or not yet."""


class TableMissing(Unavailable):
    """Nothing stands at the address of a table."""


@runtime_checkable
class JobQueue(Protocol):
    def send(self, name: str, *, args: tuple[object, ...], queue: str) -> None:
        """Hand a job's name over. Raises Unavailable; the caller's row says what is still to be done."""

    def send_group(self, name: str, *, each: Sequence[tuple[object, ...]], queue: str) -> None:
        """Hand over one job for each arguments tuple. Raises Unavailable, then any number of them may have gone."""


@runtime_checkable
class Storage(Protocol):
    """Whole files by name; a name is relative to the configured root, an answer is a full URL."""

    def url(self, name: str) -> str:
        """Where a name is or will be."""

    def write(self, name: str, content: bytes) -> str: ...
    def write_stream(self, name: str, chunks: Iterable[bytes]) -> str: ...
    def read(self, url: str) -> bytes: ...
    def local_path(self, url: str) -> str: ...
    def listed(self, folder: str) -> Iterable[tuple[str, datetime]]:
        """URL and time of the last change of each file below a folder."""

    def remove(self, url: str) -> None: ...
    def remove_folder(self, folder: str) -> int:
        """All files below it, and it; how many files went. Nothing happens where there is none."""


@dataclass(frozen=True)
class TableSize:
    """Of the files that the table consists of now, not of those kept for older readers."""

    files: int
    bytes: int


@runtime_checkable
class Tables(Protocol):
    """Tables that grow by appends. Each row has a `batch`, which names the append it came with.

    All of it raises Unavailable in words; TableMissing where there is no table.
    """

    def append(self, url: str, rows: "pa.Table") -> TableSize:
        """All rows or none. The first append makes the table."""

    def read(self, url: str, batches: Collection[str], *, example_id: int | None = None) -> "pa.Table":
        """The rows of these batches, or of one example in them, in no order."""

    def size(self, url: str) -> TableSize: ...

    def tidy(self, url: str, keep: Collection[str], *, vacuum_hours: int) -> TableSize:
        """Forget every other batch, merge small files, and remove files that were replaced so long ago."""


class PredictorState(StrEnum):
    ABSENT = "absent"
    FOREIGN = "foreign"  # something answers, but it serves another console's models, or is no predictor
    OURS = "ours"


@runtime_checkable
class Predictor(Protocol):
    def infer(self, *, model: str, request: dict[str, object]) -> dict[str, object]:
        """Open Inference Protocol v2. Raises Unavailable, also where somebody else's predictor answers; NotLoaded."""

    def state(self) -> PredictorState:
        """Who answers at the predictor's address. Raises nothing."""


@dataclass(frozen=True)
class TrackedMetric:
    """`at_ms` is milliseconds since 1970, as tracking servers take it."""

    name: str
    value: float
    step: int
    at_ms: int


@dataclass(frozen=True)
class TrackedModel:
    """The file of a numbered model; it is read only where the server lacks it."""

    version: str
    filename: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class TrackedRun:
    """One run as a tracking server shall show it. `tracking_run` and `registry_version` are what it called them before."""

    key: str
    experiment: str
    name: str
    state: str
    started_ms: int | None
    ended_ms: int | None
    params: Mapping[str, object]
    tags: Mapping[str, str]
    metrics: Sequence[TrackedMetric]
    registry_name: str
    model: TrackedModel | None
    aliases: Set[str]
    tracking_run: str = ""
    registry_version: str = ""


@dataclass(frozen=True)
class Tracked:
    """What the server calls a run and, once there is a model, its version."""

    tracking_run: str
    registry_version: str


@runtime_checkable
class Tracking(Protocol):
    def mirror(self, run: TrackedRun) -> Tracked:
        """Bring a tracking server up to date with one run; safe to repeat. Raises Unavailable."""

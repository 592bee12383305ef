"""What the loop asks of outside systems, as Protocols and frozen dataclasses. Adapters stand beside this file, one each."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class Unavailable(Exception):
    """An outside system did not answer. `permanent` says whether asking again can help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class TableMissing(Unavailable):
    """Nothing stands at the address of a table."""


class JobQueue(Protocol):
    def send(self, name: str, *, args: tuple[object, ...], queue: str) -> None:
        """Hand a job's name over. Raises Unavailable; the caller's row says what is still to be done."""

    def send_group(self, name: str, *, each: Sequence[tuple[object, ...]], queue: str) -> None:
        """Hand over one job for each arguments tuple. Raises Unavailable, then any number of them may have gone."""


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


@dataclass(frozen=True)
class TableSize:
    """Of the files that the table consists of now, not of those kept for older readers."""

    files: int
    bytes: int


class Tables(Protocol):
    """Tables that grow by appends. Each row has a `batch`, which names the append it came with.

    All of it raises Unavailable in words; TableMissing where there is no table.
    """

    def append(self, url: str, rows: "pa.Table") -> TableSize:
        """All rows or none. The first append makes the table."""

    def read(self, url: str, batches: Collection[str]) -> "pa.Table":
        """The rows of these batches, in no order."""

    def size(self, url: str) -> TableSize: ...

    def tidy(self, url: str, keep: Collection[str], *, vacuum_hours: int) -> TableSize:
        """Forget every other batch, merge small files, and remove files that were replaced so long ago."""


class Predictor(Protocol):
    def infer(self, *, model: str, request: dict[str, object]) -> dict[str, object]:
        """Open Inference Protocol v2. Raises Unavailable."""

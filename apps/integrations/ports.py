"""What the loop asks of outside systems, as Protocols and frozen dataclasses. Adapters stand beside this file, one each."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol


class Unavailable(Exception):
    """An outside system did not answer. `permanent` says whether asking again can help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class JobQueue(Protocol):
    def send(self, name: str, *, args: tuple[object, ...], queue: str) -> None:
        """Hand a job's name over. Raises Unavailable; the caller's row says what is still to be done."""

    def send_group(self, name: str, *, each: Sequence[tuple[object, ...]], queue: str) -> None:
        """Hand over one job for each arguments tuple. Raises Unavailable, then any number of them may have gone."""


class Storage(Protocol):
    """Whole files by name; a name is relative to the configured root, an answer is a full URL."""

    def write(self, name: str, content: bytes) -> str: ...
    def write_stream(self, name: str, chunks: Iterable[bytes]) -> str: ...
    def read(self, url: str) -> bytes: ...
    def local_path(self, url: str) -> str: ...
    def listed(self, folder: str) -> Iterable[tuple[str, datetime]]:
        """URL and time of the last change of each file below a folder."""

    def remove(self, url: str) -> None: ...


class Predictor(Protocol):
    def infer(self, *, model: str, request: dict[str, object]) -> dict[str, object]:
        """Open Inference Protocol v2. Raises Unavailable."""

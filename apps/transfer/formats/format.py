"""What every format declares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.functional import Promise

from apps.datasets.readers import Row
from apps.projects.models import Project
from apps.projects.task_types import TaskType
from apps.transfer.exporting import Export


@dataclass(frozen=True)
class FileFormat:
    """`answers` and `shows` are the kinds of answers and of examples that it can carry, None for all there are.

    `grains` is what can be exported. Where formats share an ending, `begins` is the first character of a file in it, or
    `recognizes` looks at its beginning. A `mapped` one is a table: its columns may have any names, which somebody maps.
    """

    name: str
    title: str | Promise
    suffixes: tuple[str, ...]
    media_type: str
    words: str | Promise  # one sentence for the page
    grains: tuple[str, ...]
    read: Callable[[BinaryIO, Project], Iterator[Row]]
    write: Callable[[Export], Iterator[bytes]]
    answers: frozenset[str] | None = None
    shows: frozenset[str] | None = None
    begins: bytes = b""
    recognizes: Callable[[bytes], bool] | None = None
    mapped: bool = False

    def carries(self, task: TaskType) -> bool:
        return (self.answers is None or task.answer.name in self.answers) and (
            self.shows is None or task.kind in self.shows
        )

    def suffix(self, export: Export) -> str:
        """COCO with its pictures is a ZIP, every other file has one ending."""
        return (
            self.suffixes[-1]
            if export.content and len(self.suffixes) > 1 and ".zip" in self.suffixes
            else self.suffixes[0]
        )

"""What every format declares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from apps.datasets.readers import Row
from apps.projects.models import Project
from apps.projects.task_types import TaskType
from apps.transfer.exporting import Export


@dataclass(frozen=True)
class Format:
    """`answers` and `shows` are the kinds of answers and of examples that it can carry; `grains` what can be exported."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    media_type: str
    words: str  # one sentence for the page
    grains: tuple[str, ...]
    read: Callable[[BinaryIO, Project], Iterator[Row]]
    write: Callable[[Export], Iterator[bytes]]
    answers: frozenset[str] = frozenset({"choice", "choices", "spans", "boxes"})
    shows: frozenset[str] = frozenset({"text", "image", "tabular", "pair"})

    def carries(self, task: TaskType) -> bool:
        return task.answer.name in self.answers and task.kind in self.shows

    def suffix(self, export: Export) -> str:
        """COCO with its pictures is a ZIP, every other file has one ending."""
        return (
            self.suffixes[-1]
            if export.content and len(self.suffixes) > 1 and ".zip" in self.suffixes
            else self.suffixes[0]
        )

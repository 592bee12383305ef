"""The formats of files, one object each. A new one is one more line in FORMATS."""

from collections.abc import Iterator
from typing import BinaryIO

from apps.datasets.readers import FileUnreadable, Row, suffix_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.transfer.formats.coco import COCO
from apps.transfer.formats.conll import CONLL
from apps.transfer.formats.format import Format
from apps.transfer.formats.label_studio import LABEL_STUDIO
from apps.transfer.formats.tables import CSV, JSONL, PARQUET

FORMATS: dict[str, Format] = {each.name: each for each in (JSONL, CSV, PARQUET, LABEL_STUDIO, CONLL, COCO)}

__all__ = ["FORMATS", "Format", "formats_for", "read_with"]


def formats_for(project: Project) -> list[Format]:
    """Those that can carry what this project's people say."""
    task = task_types.get(project.task_type)
    return [each for each in FORMATS.values() if each.carries(task)]


def read_with(project: Project, file: BinaryIO, filename: str) -> Iterator[Row]:
    """The rows of a file, by the ending of its name and its first character. Raises FileUnreadable."""
    found = _format_of(file, suffix_of(filename))
    if not found.carries(task_types.get(project.task_type)):
        raise FileUnreadable(f"{found.title} cannot carry what this project labels. {found.words}")
    return found.read(file, project)


def _format_of(file: BinaryIO, suffix: str) -> Format:
    if suffix == ".json":
        begin = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
        file.seek(0)
        return COCO if begin.startswith(b"{") else LABEL_STUDIO
    return next(each for each in FORMATS.values() if suffix in each.suffixes)

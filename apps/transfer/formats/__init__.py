"""The formats of files: which of them a project can use, and which one a file is in."""

from collections.abc import Iterator
from typing import BinaryIO

from apps.datasets.readers import SUFFIXES, FileUnreadable, Row, suffix_of
from apps.projects import task_types
from apps.projects.models import Project
from apps.rules.sentences import sentence
from apps.transfer.formats.format import FileFormat
from apps.transfer.formats.items import head_of
from apps.transfer.formats.registry import FORMATS

__all__ = ["FORMATS", "FileFormat", "format_of", "formats_for", "read_with", "suffixes"]


def formats_for(project: Project) -> list[FileFormat]:
    """Those that can carry what this project's people say."""
    task = task_types.get(project.task_type)
    return [each for each in FORMATS.values() if each.carries(task)]


def suffixes() -> tuple[str, ...]:
    """The endings that are read: those of the house first, then those of installed formats."""
    return tuple(dict.fromkeys((*SUFFIXES, *(suffix for each in FORMATS.values() for suffix in each.suffixes))))


def read_with(project: Project, file: BinaryIO, filename: str) -> Iterator[Row]:
    """The rows of a file, by the ending of its name and its first character. Raises FileUnreadable."""
    fitting = format_of(file, filename)
    if not fitting.carries(task_types.get(project.task_type)):
        raise FileUnreadable(
            sentence("{title} cannot carry what this project labels. {words}", title=fitting.title, words=fitting.words)
        )
    return fitting.read(file, project)


def format_of(file: BinaryIO, filename: str) -> FileFormat:
    """Of several with one ending the one that begins as the file does, else the first that may begin anyhow.

    Raises FileUnreadable for an ending that nobody reads.
    """
    suffix = suffix_of(filename, suffixes())
    sharing = [each for each in FORMATS.values() if suffix in each.suffixes]
    if len(sharing) < 2:
        return sharing[0]
    begin = head_of(file)
    known = [each for each in sharing if each.recognizes and each.recognizes(begin)]
    plain = [each for each in sharing if not each.recognizes]
    marked = [each for each in plain if each.begins and begin.startswith(each.begins)]
    return (known or marked or [each for each in plain if not each.begins] or plain or sharing)[0]

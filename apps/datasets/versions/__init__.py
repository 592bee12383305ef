"""Dataset versions: which example had which label at one moment, and why. Appended once, read for ever."""

from apps.datasets.versions.rows import Change, ChangeKind, VersionRow, changes_between
from apps.datasets.versions.storing import VersionUnreadable, version_rows, version_write

__all__ = [
    "Change",
    "ChangeKind",
    "VersionRow",
    "VersionUnreadable",
    "changes_between",
    "version_rows",
    "version_write",
]

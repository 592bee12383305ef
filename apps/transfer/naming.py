"""The columns of what comes in under the names that the project knows, and word of those that are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.datasets.content import canonical, digest_of
from apps.projects.task_types import RESERVED, PayloadKind
from apps.rules.sentences import sentence
from apps.rules.values import Header, ValueRefused, header_of, nested_of, spelled, text_of_bytes
from apps.transfer.rows import COLUMNS, LISTS

BINARY = frozenset({"image"})  # columns whose bytes are no text
MOST_NAMED = 50  # columns that are left out and named in words
FEATURE, IGNORE = "feature", "ignore"
NAMELESS, RESERVED_NAME, NOT_SHOWN, SECOND, IGNORED = "nameless", "reserved", "not_shown", "second", "ignored"
_NO_FEATURES = frozenset({"split", "group"})


@dataclass
class Naming:
    """`roles` has, for columns of a file, the project's name, `feature` or `ignore`; others stand for themselves."""

    payload: PayloadKind
    roles: Mapping[str, str] = field(default_factory=dict)
    make_ids: bool = False
    left_out: dict[str, str] = field(default_factory=dict)  # column to why
    _headers: dict[tuple[str, ...], Header] = field(default_factory=dict)

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ValueRefused for twin columns, and for bytes where text belongs."""
        header = self.header(tuple(values))
        row = dict(values) if header.plain else header.row(values)
        for name, value in row.items():
            if isinstance(value, bytes) and not (self.payload.has_image and name in BINARY):
                row[name] = text_of_bytes(value, name)
        if self.make_ids and all(row.get(name) in (None, "") for name in ("id", "external_id")):
            row["id"] = self._made(row)
        return row

    def header(self, given: tuple[str, ...]) -> Header:
        if given not in self._headers:
            self._headers[given] = self._read(given)
        return self._headers[given]

    def _read(self, given: tuple[str, ...]) -> Header:
        plain = header_of(given, {*RESERVED, *COLUMNS, *LISTS, *self.payload.column_names})
        roles = {spelled(column): role for column, role in self.roles.items()}
        taken = {role for column, role in roles.items() if column in {spelled(name) for name in given}}
        names: list[str | None] = []
        for written, name in zip(plain.written, plain.names, strict=True):
            role = roles.get(spelled(written), "")
            kept, why = _kept(name, role, taken) if name else (None, NAMELESS)
            why = why or self._why_not(kept, taken)
            names.append(None if why and why != NOT_SHOWN else kept)
            if why and len(self.left_out) < MOST_NAMED:
                self.left_out.setdefault(_storable(written), why)
        return header_of_names(plain.written, names)

    def _why_not(self, name: str | None, taken: set[str]) -> str:
        if name in _NO_FEATURES and name not in taken:
            return RESERVED_NAME
        return "" if self.payload.has_features or self.knows(str(name)) else NOT_SHOWN

    def knows(self, name: str) -> bool:
        return name in RESERVED or name in COLUMNS or name in LISTS or name in self.payload.column_names

    def _made(self, row: Mapping[str, Any]) -> str:
        """An id from what the example shows: the same content has the same id in every file."""
        image = row.get("image") if self.payload.has_image else None
        if isinstance(image, bytes):
            return f"row-{digest_of('', image)[:20]}"
        names = self.payload.column_names or [n for n in row if not self.knows(n)]
        shown = {name: nested_of(row[name], name) for name in names if row.get(name) not in (None, "")}
        if not shown:
            raise ValueRefused(sentence("The row shows nothing, so no id can be made from its content."))
        return f"row-{digest_of(canonical(shown))[:20]}"


def header_of_names(written: Sequence[str], names: Sequence[str | None]) -> Header:
    """Raises ValueRefused where two columns were given one name."""
    kept = [name for name in names if name is not None]
    twice = next((name for name in kept if kept.count(name) > 1), None)
    if twice is not None:
        raise ValueRefused(sentence("Two columns of the file are “{twice}”.", twice=twice))
    return Header(tuple(written), tuple(names))


def _kept(name: str, role: str, taken: set[str]) -> tuple[str | None, str]:
    """The name of a column under its role, or why it is left out. Where another column has its name by role, it goes."""
    if role == IGNORE:
        return None, IGNORED
    if role == FEATURE:
        return (f"{name}_" if name in RESERVED else name), ""
    if role:
        return role, ""
    return (None, SECOND) if name in taken else (name, "")


def _storable(column: str) -> str:
    return column.replace("\x00", "")[:200].encode("utf-8", "replace").decode()

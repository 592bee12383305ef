"""What stands in a version and what changed between two of them. Nothing is read from or written to storage here."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One label with where it comes from: the answers it rests on and whatever machine had a say in it."""

    example_id: int
    label: str
    holdout: bool
    resolved_at: datetime
    annotations: tuple[int, ...] = ()
    functions: tuple[str, ...] = ()  # labeling functions, imported models and auto-labels
    source: str = ""  # a LabelSource; empty in versions written before lineage was kept


class ChangeKind(StrEnum):
    ADDED = "added"
    RELABELED = "relabeled"
    CONFIRMED = "confirmed"  # the same label, with other answers or another time behind it
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one example: nothing before is an addition, nothing after a withdrawal."""

    before: VersionRow | None
    after: VersionRow | None

    @property
    def kind(self) -> ChangeKind:
        if self.before is None:
            return ChangeKind.ADDED
        if self.after is None:
            return ChangeKind.REMOVED
        return ChangeKind.CONFIRMED if self.before.label == self.after.label else ChangeKind.RELABELED

    @property
    def row(self) -> VersionRow:
        """As it is now; as it was where it is no more."""
        found = self.after or self.before
        assert found is not None
        return found


State = Mapping[int, VersionRow]
SCHEMA = pa.schema(
    [
        pa.field("batch", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("example_id", pa.int64(), nullable=False),
        pa.field("label", pa.string()),  # null where the label was withdrawn
        pa.field("change", pa.string(), nullable=False),
        pa.field("holdout", pa.bool_(), nullable=False),
        pa.field("resolved_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("annotations", pa.list_(pa.int64())),
        pa.field("functions", pa.list_(pa.string())),
        pa.field("source", pa.string()),
    ]
)


def changes_between(before: State, after: State) -> list[Change]:
    """Every example that differs in anything, in the order of their ids.

    >>> from datetime import datetime, UTC
    >>> old = VersionRow(1, "ham", False, datetime(2026, 1, 1, tzinfo=UTC))
    >>> new = VersionRow(1, "spam", False, datetime(2026, 1, 2, tzinfo=UTC))
    >>> [c.kind.value for c in changes_between({1: old}, {1: new})], changes_between({1: old}, {1: old})
    (['relabeled'], [])
    """
    differing = [i for i, row in after.items() if before.get(i) != row]
    gone = before.keys() - after.keys()
    return [Change(before.get(i), after.get(i)) for i in sorted([*differing, *gone])]


def digest_of(rows: Iterable[VersionRow]) -> str:
    """64 hex digits of the rows, which come in the order of their ids."""
    lines = "\n".join(
        f"{r.example_id}\t{r.label!r}\t{r.holdout}\t{r.resolved_at.timestamp()!r}\t{r.annotations}\t{r.functions}\t{r.source}"
        for r in rows
    )
    return hashlib.sha256(lines.encode()).hexdigest()


def table_of(changes: Sequence[Change], *, batch: str, number: int) -> pa.Table:
    """The changes as the rows of one append."""
    rows = [c.row for c in changes]
    columns = {
        "batch": [batch] * len(rows),
        "version": [number] * len(rows),
        "example_id": [r.example_id for r in rows],
        "label": [c.after.label if c.after else None for c in changes],
        "change": [c.kind.value for c in changes],
        "holdout": [r.holdout for r in rows],
        "resolved_at": [r.resolved_at for r in rows],
        "annotations": [r.annotations for r in rows],
        "functions": [r.functions for r in rows],
        "source": [r.source for r in rows],
    }
    return pa.table(columns, schema=SCHEMA)


def state_of(table: pa.Table, numbers: Mapping[str, int]) -> dict[int, VersionRow]:
    """For each example its last change over the given batches, in the order of the ids; withdrawn ones are left out."""
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    places = [numbers[batch] for batch in columns["batch"]]
    last: dict[int, int] = {}
    for place in sorted(range(len(places)), key=places.__getitem__):
        last[columns["example_id"][place]] = place
    return {
        example_id: VersionRow(
            example_id,
            columns["label"][i],
            columns["holdout"][i],
            columns["resolved_at"][i],
            tuple(columns["annotations"][i] or ()),
            tuple(columns["functions"][i] or ()),
            columns["source"][i] or "",
        )
        for example_id, i in sorted(last.items())
        if columns["label"][i] is not None
    }

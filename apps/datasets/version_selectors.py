"""Read dataset versions: the list with what used them, and what tells any two of them apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy

from apps.datasets.models import DatasetVersion, Example
from apps.datasets.versions import Change, ChangeKind, VersionRow, VersionUnreadable, changes_between
from apps.datasets.versions.storing import changes_of_example, version_state
from apps.errors import DomainError, Invalid, NotFound
from apps.integrations.ports import Unavailable
from apps.projects import task_types
from apps.projects.models import Project

KINDS = {
    ChangeKind.ADDED: gettext_lazy("Added"),
    ChangeKind.RELABELED: gettext_lazy("Relabeled"),
    ChangeKind.REMOVED: gettext_lazy("Removed"),
    ChangeKind.CONFIRMED: gettext_lazy("Confirmed"),
}
SOURCES = {  # the words of apps.labeling's LabelSource, which stands above this app
    "consensus": gettext_lazy("Agreed by people"),
    "imported": gettext_lazy("Came with the example"),
    "duplicate": gettext_lazy("Same as another example"),
    "review": gettext_lazy("Decided by a reviewer"),
    "gold": gettext_lazy("Known beforehand"),
}
OFFERED = 200  # versions to compare with
RUNS_SHOWN = 6  # of those that used a version


class VersionNotReadable(DomainError):
    code = "version_unreadable"


@dataclass(frozen=True)
class ListedVersion:
    version: DatasetVersion
    runs: tuple[Any, ...]  # the newest that used it; apps.training stands above this app
    more_runs: int


def versions_of(project: Project) -> QuerySet[DatasetVersion]:
    """Newest first, dropped ones too: their numbers are named by runs."""
    return DatasetVersion.objects.filter(project=project).prefetch_related("runs")


def listed(versions: Sequence[DatasetVersion]) -> list[ListedVersion]:
    found = []
    for version in versions:
        runs = sorted(version.runs.all(), key=lambda run: -run.number)
        found.append(ListedVersion(version, tuple(runs[:RUNS_SHOWN]), max(0, len(runs) - RUNS_SHOWN)))
    return found


def version_numbered(project: Project, number: int) -> DatasetVersion:
    version = DatasetVersion.objects.filter(project=project, number=number).first()
    if version is None:
        raise NotFound(gettext("This project has no data version {number}.").format(number=number))
    return version


def numbers_readable(project: Project) -> list[int]:
    kept = DatasetVersion.objects.filter(project=project, dropped_at=None)
    return list(kept.values_list("number", flat=True)[:OFFERED])


def version_wanted(project: Project, number: int | None) -> DatasetVersion | None:
    """The version that a request names; None where it names none. Raises Invalid beside the field."""
    if number is None:
        return None
    try:
        return version_numbered(project, number)
    except NotFound as missing:
        raise Invalid(missing.message, field="dataset_version") from missing


def versions_kept(project: Project, *, also: DatasetVersion | None = None, most: int = 20) -> list[DatasetVersion]:
    """The newest that can be read, and one more where it is older than these; newest first."""
    kept = list(DatasetVersion.objects.filter(project=project, dropped_at=None)[:most])
    older = also is not None and also.dropped_at is None and also not in kept
    return [*kept, also] if older and also else kept


@dataclass(frozen=True)
class ClassCount:
    label: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before


@dataclass(frozen=True)
class Move:
    """So many examples went from one label to another."""

    before: str
    after: str
    examples: int


@dataclass(frozen=True)
class VersionDiff:
    """`before` is None where the version is held against nothing: then everything is added."""

    before: DatasetVersion | None
    after: DatasetVersion
    changes: tuple[Change, ...]
    classes: tuple[ClassCount, ...]

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(c.kind for c in self.changes)
        return {kind.value: counted[kind] for kind in KINDS}

    @property
    def moves(self) -> tuple[Move, ...]:
        """The most frequent first."""
        moved = Counter(
            (c.before.label, c.after.label)
            for c in self.changes
            if c.before and c.after and c.kind == ChangeKind.RELABELED
        )
        return tuple(Move(*names, n) for names, n in sorted(moved.items(), key=lambda pair: (-pair[1], pair[0])))

    def of_kind(self, kind: str) -> list[Change]:
        """All of them where the kind is none that there is."""
        return [c for c in self.changes if c.kind == kind] if kind in list(KINDS) else list(self.changes)


def version_diff(project: Project, number: int, against: int | None = None) -> VersionDiff:
    """Against the readable version before it unless another one is named; 0 is nothing at all.

    Raises NotFound, or VersionNotReadable with the sentence of what is wrong with the table.
    """
    after = version_numbered(project, number)
    if against is None:
        earlier = DatasetVersion.objects.filter(project=project, number__lt=number, dropped_at=None).first()
    else:
        earlier = version_numbered(project, against) if against else None
    try:
        old = version_state(earlier) if earlier else {}
        new = version_state(after)
    except VersionUnreadable as cause:
        raise VersionNotReadable(str(cause)) from cause
    return VersionDiff(earlier, after, tuple(changes_between(old, new)), _classes(old.values(), new.values()))


def _classes(before: Any, after: Any) -> tuple[ClassCount, ...]:
    """By name; with every label that either of them has."""
    old, new = Counter(r.label for r in before), Counter(r.label for r in after)
    return tuple(ClassCount(name, old[name], new[name]) for name in sorted(old.keys() | new.keys()))


@dataclass(frozen=True)
class ChangedLine:
    """One change as a person reads it; `example` is None where it was deleted since."""

    change: Change
    kind: str
    example: Example | None
    summary: str
    people: tuple[str, ...]
    source: str

    @property
    def row(self) -> VersionRow:
        return self.change.row


def changed_lines(project: Project, changes: Sequence[Change]) -> list[ChangedLine]:
    """With the examples and the people behind the answers: three queries for a page, whatever its length."""
    ids = [c.row.example_id for c in changes]
    examples = Example.objects.filter(project=project).prefetch_related("annotations__annotator").in_bulk(ids)
    summary = task_types.get(project.task_type).summary
    lines = []
    for change in changes:
        example = examples.get(change.row.example_id)
        lines.append(
            ChangedLine(
                change,
                str(KINDS[change.kind]),
                example,
                summary(example.fields, example.external_id) if example else gettext("deleted since"),
                _people(example, change.row.annotations),
                str(SOURCES.get(change.row.source, "")),
            )
        )
    return lines


def _people(example: Any, answers: Sequence[int]) -> tuple[str, ...]:
    """Who gave the answers, also where they were withdrawn since; each once."""
    given = {a.pk: str(a.annotator) for a in example.annotations.all()} if example else {}
    return tuple(dict.fromkeys(given[pk] for pk in answers if pk in given))


@dataclass(frozen=True)
class VersionChange:
    """What one version changed about an example; `label` is empty where it was taken out."""

    number: int
    kind: str
    label: str


@dataclass(frozen=True)
class HoldingVersions:
    """The changes of an example from version to version, how many versions hold it, and why that cannot be told."""

    changes: tuple[VersionChange, ...] = ()
    numbers: tuple[int, ...] = ()
    sentence: str = ""


def versions_holding(project: Project, example_id: int) -> HoldingVersions:
    try:
        said = changes_of_example(project.pk, example_id)
    except Unavailable as cause:
        return HoldingVersions(sentence=str(cause))
    written = DatasetVersion.objects.filter(project=project, dropped_at=None).exclude(batch=None)
    holding, label, left = [], None, list(said)
    for number in written.order_by("number").values_list("number", flat=True):
        while left and left[0][0] <= number:
            label = left.pop(0)[2]
        if label is not None:
            holding.append(number)
    changes = tuple(VersionChange(number, str(KINDS[ChangeKind(kind)]), name or "") for number, kind, name in said)
    return HoldingVersions(changes, tuple(holding))

"""Versions in a Delta table, one table a project: each version appends what changed, and reading adds the appends up.

An append is named by a batch, and a batch counts only where a row of DatasetVersion names it. So an append whose
transaction failed is read by nobody, and files may be merged and removed without a version changing.
"""

import io
import logging
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from threading import Lock

import pyarrow.parquet as pq
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from apps.datasets.erasing import erased_numbers
from apps.datasets.models import DatasetVersion, VersionPolicy
from apps.datasets.versions.rows import ChangeKind, VersionRow, changes_between, digest_of, state_of, table_of
from apps.integrations import wiring
from apps.integrations.ports import TableMissing, TableSize, Unavailable
from apps.pages.moments import day_of
from apps.pages.numbers import grouped
from apps.projects.models import Project

logger = logging.getLogger(__name__)
REMEMBERED = 4  # newest and base of a run, and those of the run beside it; 10,000 labels are about 5 MB
_remembered: OrderedDict[tuple[int, str], dict[int, VersionRow]] = OrderedDict()
_remembering = Lock()


class VersionUnreadable(Unavailable):
    """The rows of a version cannot be had; the sentence says why and what is not touched by it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


@transaction.atomic
def version_write(*, project_id: int, rows: Sequence[VersionRow], at: datetime) -> DatasetVersion:
    """A new version, or the newest one again when nothing has changed since. Raises Unavailable; then there is none.

    The project's row orders the writers. The append comes before the row that names it: a crash between the two leaves
    an append without a name, which `tidy` forgets.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project_id)
    state = {r.example_id: r for r in sorted(rows, key=lambda r: r.example_id)}
    digest = digest_of(state.values())
    newest = DatasetVersion.objects.filter(project_id=project_id).first()
    if newest and newest.digest == digest:
        return newest
    url = wiring.storage().url(f"versions/{project_id}/labels")
    before = _before(newest)
    changes = changes_between(before or {}, state)
    alone = newest is None or before is None or newest.url != url  # nothing in this table to build upon
    number = (DatasetVersion.objects.filter(project_id=project_id).aggregate(n=Max("number"))["n"] or 0) + 1
    batch = uuid.uuid4()
    appended = changes_between({}, state) if alone else changes
    size = wiring.tables.append(url, table_of(appended, batch=str(batch), number=number))
    kinds = [c.kind for c in changes]
    version = DatasetVersion.objects.create(
        project_id=project_id,
        number=number,
        url=url,
        rows=len(state),
        digest=digest,
        created_at=at,
        batch=batch,
        holdout_rows=sum(r.holdout for r in state.values()),
        added=kinds.count(ChangeKind.ADDED),
        relabeled=kinds.count(ChangeKind.RELABELED),
        removed=kinds.count(ChangeKind.REMOVED),
    )
    size_note(project_id=project_id, size=size)
    _remember(version, state)
    return version


def version_rows(version: DatasetVersion) -> list[VersionRow]:
    """What was written, in the order of the examples' ids, but for examples that were deleted since.

    Raises VersionUnreadable with a sentence.
    """
    gone = erased_numbers(version.project_id)
    return [row for row in version_state(version).values() if row.example_id not in gone]


def version_state(version: DatasetVersion) -> dict[int, VersionRow]:
    """The same by example, from memory where this process has read it lately. Not to be changed."""
    if version.dropped_at is not None:
        raise VersionUnreadable(
            gettext("{version} was dropped on {day} by the project’s policy; its labels can no longer be read.").format(
                version=_named(version), day=day_of(version.dropped_at)
            )
        )
    with _remembering:
        found = _remembered.get((version.pk, version.digest))
        if found is not None:
            _remembered.move_to_end((version.pk, version.digest))
    if found is None:
        found = _read(version)
        _remember(version, found)
    return found


def changes_of_example(project_id: int, example_id: int) -> list[tuple[int, str, str | None]]:
    """What versions that can be read say of one example, oldest first: (version, change, label or None where it went).

    Raises Unavailable. Versions from before there was a table say nothing here.
    """
    named = DatasetVersion.objects.filter(project_id=project_id, dropped_at=None).exclude(batch=None)
    tables: dict[str, dict[str, int]] = {}
    for url, batch, number in named.values_list("url", "batch", "number"):
        tables.setdefault(url, {})[str(batch)] = number
    found = []
    for url, numbers in tables.items():
        rows = wiring.tables.read(url, numbers, example_id=example_id).select(["batch", "change", "label"]).to_pylist()
        found += [(numbers[row["batch"]], str(row["change"]), row["label"]) for row in rows]
    return sorted(found)


def size_note(*, project_id: int, size: TableSize) -> None:
    """Kept beside the policy, so that a page need not open the table."""
    VersionPolicy.objects.update_or_create(project_id=project_id, defaults={"files": size.files, "bytes": size.bytes})


def chain_of(version: DatasetVersion) -> dict[str, int]:
    """The batches that a version adds up, each with its number."""
    chain = DatasetVersion.objects.filter(
        project_id=version.project_id, url=version.url, number__lte=version.number, dropped_at=None
    ).exclude(batch=None)
    return {str(batch): number for batch, number in chain.values_list("batch", "number")}


def forget_remembered() -> None:
    """For whoever must see what storage says."""
    with _remembering:
        _remembered.clear()


def _before(newest: DatasetVersion | None) -> dict[int, VersionRow] | None:
    """What to build upon; None where it is gone for good, so that the new version stands for itself.

    A table that is there and cannot be read is refused instead: it may be mended, and nothing may be put on top of it.
    """
    if newest is None:
        return {}
    try:
        return version_state(newest)
    except VersionUnreadable as unreadable:
        if isinstance(unreadable.__cause__, TableMissing) or newest.batch is None:
            logger.error("%s; the next version holds every label anew.", unreadable)
            return None
        raise


def _read(version: DatasetVersion) -> dict[int, VersionRow]:
    try:
        found = _read_file(version) if version.batch is None else _read_table(version)
    except Unavailable as cause:
        raise VersionUnreadable(
            gettext("{version} cannot be read: {cause} Labels and models are untouched.").format(
                version=_named(version), cause=f"{cause}".rstrip(".") + "."
            )
        ) from cause
    digest = digest_of(found.values()) if version.batch else version.digest
    if len(found) != version.rows or digest != version.digest:
        raise VersionUnreadable(
            gettext(
                "{version} is damaged: its table no longer holds what was written ({found} of {rows} labels). Restore "
                "{url} from a copy. Labels and models are untouched."
            ).format(version=_named(version), found=grouped(len(found)), rows=grouped(version.rows), url=version.url)
        )
    return found


def _read_table(version: DatasetVersion) -> dict[int, VersionRow]:
    numbers = chain_of(version)
    return state_of(wiring.tables.read(version.url, numbers), numbers)


def _read_file(version: DatasetVersion) -> dict[int, VersionRow]:
    """A version from before there was a table: a Parquet file without lineage."""
    content = wiring.storage().read(version.url)
    try:
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    except (ValueError, OSError) as cause:
        raise Unavailable(f"{version.url} is no Parquet file: {cause}", permanent=True) from cause
    return {row["example_id"]: VersionRow(**row) for row in rows}


def _remember(version: DatasetVersion, state: dict[int, VersionRow]) -> None:
    with _remembering:
        _remembered[version.pk, version.digest] = state
        _remembered.move_to_end((version.pk, version.digest))
        while len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)


def _named(version: DatasetVersion) -> str:
    return gettext("Data version {number}").format(number=version.number)

"""Write imported labels and known answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.datasets.batches import StoredRow
from apps.datasets.copying import rows_copy
from apps.labeling.models import FrontierItem, GoldItem, Label, LabelSource
from apps.labeling.services.labels import labels_share
from apps.projects.models import Project
from apps.rules.answers import Value
from apps.transfer.storing.columns import Columns, json_of, known_among

LABEL_COLUMNS = (
    "project_id",
    "example_id",
    "label_id",
    "value",
    "source",
    "holdout",
    "lane",
    "shown_at",
    "resolved_at",
)


def labels_keep(
    project: Project,
    given: Sequence[tuple[StoredRow, Value]],
    columns: Columns,
    *,
    at: datetime,
    source: str = LabelSource.IMPORTED,
) -> set[int]:
    """Label what has no label yet; its slots leave the queue. A label that is there already stands."""
    known = known_among(k for k, _ in given)
    taken = set(Label.objects.filter(pk__in=known).values_list("pk", flat=True)) if known else set()
    first: dict[int, tuple[StoredRow, Value]] = {}
    for k, value in given:
        if k.example_id not in taken:
            first.setdefault(k.example_id, (k, value))
    if not first:
        return set()
    rows_copy(Label, LABEL_COLUMNS, (label_row(project, k, columns(v), source, at) for k, v in first.values()))
    asked_no_more(project, [k for k, _ in first.values()], at)
    return {k.row_number for k, _ in first.values()}


def label_row(
    project: Project, k: StoredRow, column: tuple[int | None, Value | None], source: str, at: datetime, lane: str = ""
) -> tuple[Any, ...]:
    label_id, value = column
    return (project.pk, k.example_id, label_id, json_of(value), source, k.holdout, lane, at, at)


def asked_no_more(project: Project, labeled: Sequence[StoredRow], at: datetime) -> None:
    """Of examples that were there before: their slots go, and their copies get the label too. New ones have neither."""
    known = [k for k in labeled if not k.fresh]
    if known:
        FrontierItem.objects.filter(example_id__in=[k.example_id for k in known]).delete()
        labels_share(project=project, digests=[k.digest for k in known], at=at)


def gold_keep(
    project: Project, given: Sequence[tuple[StoredRow, Value]], columns: Columns, *, at: datetime
) -> set[int]:
    """Answers known beforehand, and the labels that they are. One that is there already stands."""
    there = set(GoldItem.objects.filter(pk__in=known_among(k for k, _ in given)).values_list("pk", flat=True))
    first: dict[int, tuple[StoredRow, Value]] = {}
    for k, value in given:
        if k.example_id not in there:
            first.setdefault(k.example_id, (k, value))
    made = []
    for k, value in first.values():
        label_id, kept = columns(value)
        made.append(
            GoldItem(
                example_id=k.example_id,
                project=project,
                label_id=label_id,
                value=kept,
                explanation=k.beside.gold_explanation,
                at=at,
            )
        )
    GoldItem.objects.bulk_create(made)
    Label.objects.filter(pk__in=known_among(k for k, _ in first.values())).delete()
    labels_keep(project, list(first.values()), columns, at=at, source=LabelSource.GOLD)
    return {k.row_number for k, _ in first.values()}

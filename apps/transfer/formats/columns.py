"""The columns of a table, whatever writes it: one row a fact, the same names in JSONL, CSV and Parquet."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from apps.projects.models import Project
from apps.projects.task_types import PayloadKind
from apps.transfer.exporting import Export, ExportedLabel, Fact, Shown, facts
from apps.transfer.rows import ANSWER, LABEL, PREDICTION, Answered, compact

GRAINS = ("annotations", "labels", "predictions")
LINES_AT_ONCE = 500  # a chunk of the stream; a generator's step for each line would cost more than the line
Cells = dict[str, Any]


def _shown(shown: Shown, payload: PayloadKind) -> Cells:
    """The columns that an upload needs."""
    beside = {"collected_at": shown.collected_at, "example.holdout": shown.holdout}
    return {"id": shown.external_id, **payload.columns_of(shown.fields, shown.image), **beside}


def _said(fact: Fact) -> Cells:
    if isinstance(fact, Answered):
        cells = {f"answer.{name}": getattr(fact, name) for name in ANSWER}
        cells["answer.value"], cells["answer.suggestion"] = compact(fact.value), compact(fact.suggestion)
        return cells
    if isinstance(fact, ExportedLabel):
        rest = {f"label.{name}": getattr(fact, name) for name in LABEL}
        return {"label": compact(fact.value), **rest}
    return {f"prediction.{name}": getattr(fact, name) for name in PREDICTION} | {
        "prediction.value": compact(fact.value)
    }


def cells_of(export: Export) -> Iterator[Cells]:
    payload = export.task.payload
    before: Shown | None = None
    for shown, fact in facts(export):
        if shown is not before:
            cells, before = _shown(shown, payload), shown
        yield {**cells, **_said(fact)}


def names_of(export: Export) -> list[str]:
    """Every column, in order. A table's features are those of all its rows."""
    payload = export.task.payload
    shown = features_of(export.project) if payload.has_features else payload.column_names
    beside = {"annotations": [f"answer.{n}" for n in ANSWER], "predictions": [f"prediction.{n}" for n in PREDICTION]}
    said = beside.get(export.grain) or ["label", *(f"label.{n}" for n in LABEL)]
    return ["id", *shown, "collected_at", "example.holdout", *said]


def features_of(project: Project) -> dict[str, set[str]]:
    """Feature to the JSON types it has, in order of their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.key, array_agg(DISTINCT CASE WHEN jsonb_typeof(f.value) = 'number' AND f.value::text !~ '^-?[0-9]{1,18}$'"
            " THEN 'float' ELSE jsonb_typeof(f.value) END)"
            " FROM datasets_example e, jsonb_each(e.fields->'features') f WHERE e.project_id = %s GROUP BY 1 ORDER BY 1",
            [project.pk],
        )
        return {name: set(types) - {"null"} for name, types in cursor.fetchall()}

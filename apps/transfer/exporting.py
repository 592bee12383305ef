"""Answers, labels and guesses of a project as a stream: a server-side cursor, and never more than a few thousand rows here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import orjson
from django.db import connection, transaction

from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import TaskType
from apps.rules.answers import Value
from apps.transfer.rows import Answered, Guess

ROWS_AT_ONCE = 2000  # fetched from the server; an image a row would be heavy
IMAGES_AT_ONCE = 50
GRAINS = {
    "annotations": "Every answer, one by one",
    "labels": "The label of each labeled example",
    "predictions": "What models outside said",
}


@dataclass(frozen=True)
class Export:
    """What to write: `grain` is one of GRAINS, `content` whether the images go along."""

    project: Project
    grain: str
    content: bool = True

    @property
    def task(self) -> TaskType:
        return task_types.get(self.project.task_type)

    @property
    def images(self) -> bool:
        """Whether an image goes along with each example, so that a row may be megabytes."""
        return self.content and self.task.payload.has_image


@dataclass(frozen=True, slots=True)
class Shown:
    """An example as it stands in the database."""

    pk: int
    external_id: str
    fields: Mapping[str, Any]
    collected_at: datetime
    holdout: bool
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class ExportedLabel:
    value: Value
    source: str
    lane: str
    confidence: float | None
    shown_at: datetime
    at: datetime


Fact = Answered | ExportedLabel | Guess


@dataclass(frozen=True, slots=True)
class Document:
    """One example with everything that is said of it."""

    shown: Shown
    label: ExportedLabel | None = None
    gold: Value | None = None
    gold_explanation: str = ""
    answers: tuple[Answered, ...] = ()
    guesses: tuple[Guess, ...] = ()


_EXAMPLE = "e.id, e.external_id, e.fields::text, e.collected_at, e.holdout, {image}"
_FROM = {
    "annotations": """,
        u.username, l.name, x.value::text, x.skip_reason, x.comment, x.flagged, x.error_kind, a.lane, a.suggestion,
        a.suggested_value::text, a.suggestion_confidence, a.suggestion_source, x.active_ms, x.shown_at, x.answered_at,
        g.number, a.run_number, x.surplus, x.client_id, (a.reason->'was')::text
        FROM labeling_annotation x
        JOIN labeling_assignment a ON a.id = x.assignment_id
        JOIN accounts_user u ON u.id = x.annotator_id
        JOIN datasets_example e ON e.id = x.example_id
        LEFT JOIN projects_schemalabel l ON l.id = x.label_id
        LEFT JOIN projects_guidelineversion g ON g.id = a.guidelines_id {blob}
        WHERE x.project_id = %(project)s AND x.withdrawn_at IS NULL ORDER BY x.example_id, x.id""",
    "labels": """,
        l.name, x.value::text, x.source, x.lane, x.confidence, x.shown_at, x.resolved_at
        FROM labeling_label x
        JOIN datasets_example e ON e.id = x.example_id
        LEFT JOIN projects_schemalabel l ON l.id = x.label_id {blob}
        WHERE x.project_id = %(project)s ORDER BY x.example_id""",
    "predictions": """,
        l.name, x.value::text, x.model_version, x.confidence, x.at
        FROM labeling_importedprediction x
        JOIN datasets_example e ON e.id = x.example_id
        LEFT JOIN projects_schemalabel l ON l.id = x.label_id {blob}
        WHERE x.project_id = %(project)s ORDER BY x.example_id, x.id""",
    "gold": """,
        l.name, x.value::text, x.explanation
        FROM labeling_golditem x
        JOIN datasets_example e ON e.id = x.example_id
        LEFT JOIN projects_schemalabel l ON l.id = x.label_id {blob}
        WHERE x.project_id = %(project)s ORDER BY x.example_id""",
}
_SHOWN = 6  # columns of _EXAMPLE


def facts(export: Export) -> Iterator[tuple[Shown, Fact]]:
    """Of the grain, ordered by example."""
    with _one_moment():
        read = _READ[export.grain]
        for shown, row in _rows(export, export.grain):
            yield shown, read(row)


def documents(export: Export) -> Iterator[Document]:
    """The examples that have a fact of the grain; with `annotations` their guesses and known answers come along."""
    with _one_moment():
        if export.grain != "annotations":
            for shown, group in groupby(_rows(export, export.grain), key=lambda pair: pair[0]):
                yield _document(shown, export.grain, [row for _, row in group])
            return
        streams = [_grouped(export, name) for name in ("annotations", "predictions", "gold")]
        yield from _merged(streams)


def _document(shown: Shown, grain: str, rows: Sequence[Sequence[Any]]) -> Document:
    if grain == "labels":
        return Document(shown, label=_label(rows[0]))
    return Document(shown, guesses=tuple(_guess(row) for row in rows))


Grouped = Iterator[tuple[Shown, str, list[Any]]]


def _grouped(export: Export, name: str) -> Grouped:
    for shown, group in groupby(_rows(export, name), key=lambda pair: pair[0]):
        yield shown, name, [row for _, row in group]


def _merged(streams: Sequence[Grouped]) -> Iterator[Document]:
    """Join streams that are ordered by example."""
    heads = [next(s, None) for s in streams]
    while waiting := [h for h in heads if h]:
        first = min(waiting, key=lambda h: h[0].pk)[0]
        document = Document(first)
        for i, head in enumerate(heads):
            if head and head[0].pk == first.pk:
                document = _joined(document, head[1], head[2])
                heads[i] = next(streams[i], None)
        yield document


def _joined(document: Document, name: str, rows: list[Any]) -> Document:
    if name == "annotations":
        return replace(document, answers=tuple(_answer(row) for row in rows))
    if name == "predictions":
        return replace(document, guesses=tuple(_guess(row) for row in rows))
    return replace(document, gold=_value(rows[0][0], rows[0][1]), gold_explanation=rows[0][2])


@contextmanager
def _one_moment() -> Iterator[None]:
    """Everything as it stood when the export began, whatever people do meanwhile."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _rows(export: Export, name: str) -> Iterator[tuple[Shown, Sequence[Any]]]:
    """Neighbors of one example share their `Shown`."""
    images = export.images
    query = (_EXAMPLE + _FROM[name]).format(
        image="b.content" if images else "NULL",
        blob="LEFT JOIN datasets_exampleblob b ON b.example_id = e.id" if images else "",
    )
    shown: Shown | None = None
    with connection.chunked_cursor() as cursor:
        cursor.cursor.itersize = IMAGES_AT_ONCE if images else ROWS_AT_ONCE
        cursor.execute(f"SELECT {query}", {"project": export.project.pk})
        for row in cursor:
            if shown is None or shown.pk != row[0]:
                image = bytes(row[5]) if row[5] is not None else None
                shown = Shown(row[0], row[1], orjson.loads(row[2]), row[3].astimezone(UTC), row[4], image)
            yield shown, row[_SHOWN:]


def _value(name: str | None, stored: str | None) -> Value:
    return dict(orjson.loads(stored)) if stored is not None else {"label": name}


def _answer(row: Sequence[Any]) -> Answered:
    """What an imported answer was before it came here counts, not what it became."""
    was = orjson.loads(row[19]) if row[19] else {}
    imported = row[19] is not None
    suggestion = _value(row[8], row[9]) if row[8] or row[9] else None
    return Answered(
        by=row[0],
        value=None if row[3] else _value(row[1], row[2]),
        skip=row[3],
        comment=row[4],
        flagged=row[5],
        error_kind=was.get("error_kind", row[6]),
        lane=was.get("lane", "") if imported else row[7],
        suggestion=suggestion,
        suggestion_confidence=row[10],
        suggestion_source=row[11],
        active_ms=row[12],
        shown_at=row[13].astimezone(UTC),
        at=row[14].astimezone(UTC),
        guidelines=was.get("guidelines", row[15]),
        run=was.get("run", row[16]),
        surplus=was.get("surplus", row[17]),
        id=was.get("id") or str(row[18]),
    )


def _label(row: Sequence[Any]) -> ExportedLabel:
    return ExportedLabel(_value(row[0], row[1]), row[2], row[3], row[4], row[5].astimezone(UTC), row[6].astimezone(UTC))


def _guess(row: Sequence[Any]) -> Guess:
    return Guess(_value(row[0], row[1]), row[2], row[3], row[4].astimezone(UTC))


_READ: dict[str, Callable[[Sequence[Any]], Fact]] = {"annotations": _answer, "labels": _label, "predictions": _guess}

"""Answers into the log: by COPY, with what was asked, the counts that pages read, and how far the predictor's file is written.

All that is one transaction.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.monitoring.log.partitions import partitions_ensure
from apps.monitoring.log.rollups import rollups_add
from apps.monitoring.models import AskedPayload, Feedback, FeedbackLetter, Prediction, SpoolPosition
from apps.projects.models import Project
from apps.rules.rollouts.arms import Arm

POSITIONS_FOR = timedelta(days=90)  # a copy of a file that turns up later is written once more


@dataclass(frozen=True)
class AskedRow:
    """What one row of a request asked about, in a file's columns; a picture stands beside them."""

    row: Mapping[str, Any]
    image: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return len(self.image or b"") + sum(len(str(value)) for value in self.row.values())


@dataclass(frozen=True)
class LoggedPrediction:
    """One answered item as the predictor saw it. `asked` is there where the project keeps it of this request.

    Of such answers the log keeps `share`; one that does not stay is counted, and has no row.
    """

    project_id: int
    inference_id: str
    at: datetime
    model_number: int
    label: str
    confidence: float
    latency_ms: float
    arm: str = Arm.CHAMPION
    rollout: int | None = None
    entity: int | None = None
    failed: bool = False
    agreed: bool | None = None
    item: int = 0
    asked: AskedRow | None = None
    margin: float | None = None
    share: float = 1.0
    stays: bool = True


@dataclass(frozen=True)
class SpoolPart:
    """The bytes of a segment that the rows were read from: after `begin`, up to `end`."""

    segment: UUID
    begin: int
    end: int


class SpoolMoved(Exception):
    """The segment is not written up to where this part begins, but up to `end`: another process wrote of it."""

    def __init__(self, end: int) -> None:
        super().__init__(f"The segment is written up to byte {end}.")
        self.end = end


@dataclass
class LogWritten:
    """How many rows are in the log, those that cannot be kept, each with the reason, and how many had no project any more."""

    kept: int = 0
    refused: list[tuple[LoggedPrediction, str]] = field(default_factory=list)
    homeless: int = 0


@transaction.atomic
def predictions_record(
    *, rows: Sequence[LoggedPrediction], part: SpoolPart | None = None, at: datetime | None = None
) -> LogWritten:
    """All that can be kept, once: with `part` the segment moves on in the same transaction, at `at`.

    Raises SpoolMoved, and OperationalError or InterfaceError where the database is away: that is nobody's fault, and waiting helps.
    """
    if part is not None:
        assert at is not None
        _move(part, at)
    projects = _held({row.project_id for row in rows})
    mine = [row for row in rows if row.project_id in projects]
    written = LogWritten(homeless=len(rows) - len(mine))
    staying = [row for row in mine if row.stays]
    for table, those in ((Prediction, staying), (AskedPayload, [row for row in staying if row.asked is not None])):
        partitions_ensure(table=table._meta.db_table, moments=(row.at for row in those))
    kept = _kept(staying, written.refused)
    written.kept = len(kept)
    counted = [*kept, *(row for row in mine if not row.stays and _countable(row, written.refused))]
    rollups_add(rows=counted)
    for project_id in {row.project_id for row in counted}:
        look_again(Topic.PROJECT.of(project_id), News.PREDICTIONS)
    return written


_MOVE = """
INSERT INTO monitoring_spoolposition (segment, "end", moved_at) VALUES (%(segment)s, %(end)s, %(at)s)
ON CONFLICT (segment) DO UPDATE SET "end" = excluded."end", moved_at = excluded.moved_at
WHERE monitoring_spoolposition."end" = %(begin)s
RETURNING "end"
"""


def _move(part: SpoolPart, at: datetime) -> None:
    """Its row is locked until the rows are there: of two who read the same file one waits here, and is told."""
    values: dict[str, Any] = {"segment": part.segment, "begin": part.begin, "end": part.end, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, values)
        if cursor.fetchone() is None:
            raise SpoolMoved(SpoolPosition.objects.values_list("end", flat=True).get(pk=part.segment))


def _held(project_ids: set[int]) -> set[int]:
    """Those that are there, and stay there until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM projects_project WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [sorted(project_ids)]
        )
        return {project_id for (project_id,) in cursor.fetchall()}


def _countable(row: LoggedPrediction, refused: list[tuple[LoggedPrediction, str]]) -> bool:
    """Whether the counts take a row that no COPY has tried."""
    fault = _fault(row) or ("" if len(row.label) <= MOST_LABEL and "\x00" not in row.label else "its label is none")
    if fault:
        refused.append((row, fault))
    return not fault


def _fault(row: LoggedPrediction) -> str:
    return "" if isfinite(row.confidence) and isfinite(row.latency_ms) else "a confidence or a latency is no number"


def _kept(rows: Sequence[LoggedPrediction], refused: list[tuple[LoggedPrediction, str]]) -> Sequence[LoggedPrediction]:
    """A batch that is refused is halved until the culprit stands alone."""
    if not rows:
        return []
    try:
        with transaction.atomic():
            _copy(rows)
        return rows
    except (OperationalError, InterfaceError):
        raise
    except Exception as cause:  # of the rows: the same again would fail again
        if len(rows) == 1:
            refused.append((rows[0], str(cause)))
            return []
    half = len(rows) // 2
    return [*_kept(rows[:half], refused), *_kept(rows[half:], refused)]


_COLUMNS = (
    "project_id",
    "inference_id",
    "item",
    "at",
    "model_number",
    "label",
    "confidence",
    "latency_ms",
    "arm",
    "rollout",
    "entity",
    "failed",
    "agreed",
    "margin",
    "share",
)
MOST_LABEL = 80  # characters, as the tables have it


def _copy(rows: Sequence[LoggedPrediction]) -> None:
    for row in rows:
        if fault := _fault(row):
            raise ValueError(fault)
    _copied(
        Prediction._meta.db_table,
        _COLUMNS,
        (
            (
                r.project_id,
                r.inference_id[:100],
                r.item,
                r.at,
                r.model_number,
                r.label,
                r.confidence,
                r.latency_ms,
                str(r.arm),
                r.rollout,
                r.entity,
                r.failed,
                r.agreed,
                r.margin,
                r.share,
            )
            for r in rows
        ),
    )
    asked = [(r, r.asked) for r in rows if r.asked is not None]
    if asked:
        _copied(
            AskedPayload._meta.db_table,
            ("project_id", "inference_id", "item", "at", "row", "image", "share"),
            (
                (r.project_id, r.inference_id[:100], r.item, r.at, json.dumps(dict(said.row)), said.image, r.share)
                for r, said in asked
            ),
        )


def _copied(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    named = ", ".join(f'"{name}"' for name in columns)
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {table} ({named}) FROM STDIN") as copied,
    ):
        for row in rows:
            copied.write_row(row)


def predictions_forget(*, project: Project, inference_id: str) -> int:
    """The answers stay in the figures, without the id that they were asked under, what was asked and what came back."""
    for table in (AskedPayload, Feedback, FeedbackLetter):
        table.objects.filter(project=project, inference_id=inference_id).delete()
    return Prediction.objects.filter(project=project, inference_id=inference_id).update(inference_id="")


def positions_forget(*, at: datetime) -> None:
    """Of segments that were written long ago."""
    SpoolPosition.objects.filter(moved_at__lt=at - POSITIONS_FOR).delete()

"""Count the answers of a batch into the minutes, quarters and hours that they fall into, whenever they come."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.db import connection

from apps.monitoring.models import AnswerRollup, LatencyRollup
from apps.monitoring.models.rollups import RollupWidth
from apps.projects.models import Project
from apps.rules.latencies import bin_of

MINUTES_FOR = timedelta(
    days=35
)  # and quarters; then hours alone say how it was: charts of a month and more read neither


class CountedAnswer(Protocol):
    """What is counted of an answer."""

    @property
    def project_id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def model_number(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def latency_ms(self) -> float: ...
    @property
    def arm(self) -> str: ...
    @property
    def failed(self) -> bool: ...


Key = tuple[Any, ...]


@dataclass
class _Counts:
    """By project, moment, arm, version, whether it failed, and label or bin."""

    answers: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0, 0.0]))
    latencies: dict[Key, int] = field(default_factory=lambda: defaultdict(int))


_ANSWERS = """
INSERT INTO monitoring_answerrollup AS kept
  (project_id, width, at, arm, model_number, failed, label, answers, confidence)
SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[], %s::text[], %s::int[], %s::bool[], %s::text[],
                     %s::bigint[], %s::float8[])
ON CONFLICT (project_id, width, at, arm, model_number, label, failed)
DO UPDATE SET answers = kept.answers + excluded.answers, confidence = kept.confidence + excluded.confidence
"""
_LATENCIES = """
INSERT INTO monitoring_latencyrollup AS kept
  (project_id, width, at, arm, model_number, failed, place, answers)
SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[], %s::text[], %s::int[], %s::bool[], %s::smallint[],
                     %s::bigint[])
ON CONFLICT (project_id, width, at, arm, model_number, place, failed)
DO UPDATE SET answers = kept.answers + excluded.answers
"""


def rollups_add(*, rows: Sequence[CountedAnswer]) -> None:
    """Within the transaction of the rows. In one order for everybody, so that no two writers wait for each other."""
    counts = _counted(rows)
    with connection.cursor() as cursor:
        for statement, found in (
            (_ANSWERS, [(*_with_width(key), *sums) for key, sums in counts.answers.items()]),
            (_LATENCIES, [(*_with_width(key), number) for key, number in counts.latencies.items()]),
        ):
            quarters = _summed(_wider(found, RollupWidth.QUARTER))
            lines = sorted([*found, *quarters, *_summed(_wider(quarters, RollupWidth.HOUR))])
            if lines:
                cursor.execute(statement, [list(column) for column in zip(*lines, strict=True)])


def _counted(rows: Sequence[CountedAnswer]) -> _Counts:
    """By minute."""
    counts = _Counts()
    for row in rows:
        minute = row.at.astimezone(UTC).replace(second=0, microsecond=0)
        key = (row.project_id, minute, str(row.arm), row.model_number, row.failed)
        sums = counts.answers[*key, row.label]
        sums[0] += 1
        sums[1] += row.confidence
        counts.latencies[*key, bin_of(row.latency_ms)] += 1
    return counts


def _with_width(key: Key) -> Key:
    return (key[0], int(RollupWidth.MINUTE), *key[1:])


def _wider(rows: Sequence[Key], width: RollupWidth) -> list[Key]:
    return [(row[0], int(width), width.begins(row[2]), *row[3:]) for row in rows]


def _summed(rows: Sequence[Key]) -> list[Key]:
    """One line a key; what comes after the key of seven is summed."""
    sums: dict[Key, list[float]] = {}
    for row in rows:
        before = sums.get(row[:7])
        if before is None:
            sums[row[:7]] = list(row[7:])
        else:
            sums[row[:7]] = [a + b for a, b in zip(before, row[7:], strict=True)]
    return [(*key, *values) for key, values in sums.items()]


def minutes_forget(*, at: datetime) -> None:
    """Those that no chart reads any more, and quarters; their hours stay."""
    for table in AnswerRollup, LatencyRollup:
        for project_id in Project.objects.values_list("pk", flat=True):
            table.objects.filter(project=project_id, width__lt=RollupWidth.HOUR, at__lt=at - MINUTES_FOR).delete()

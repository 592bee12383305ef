"""The roll-ups beside the log that they count, each counted in its own way."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from apps.monitoring.models import AnswerRollup, LatencyRollup, Prediction
from apps.monitoring.models.rollups import RollupWidth
from apps.rules.latencies import bin_of

Key = tuple[Any, ...]


def begins(at: datetime, width: RollupWidth) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // (60 * width) * (60 * width), UTC)


def of_the_log(width: RollupWidth) -> tuple[Counter[Key], Counter[Key], Counter[Key]]:
    """Answers, confidences in millionths, and latencies, from each row."""
    answers, confidence, latencies = Counter[Key](), Counter[Key](), Counter[Key]()
    for row in Prediction.objects.all():
        key = (row.project_id, begins(row.at, width), row.arm, row.model_number, row.failed)
        answers[*key, row.label] += 1
        confidence[*key, row.label] += round(row.confidence * 1e6)
        latencies[*key, bin_of(row.latency_ms)] += 1
    return answers, confidence, latencies


def of_the_rollups(width: RollupWidth) -> tuple[Counter[Key], Counter[Key], Counter[Key]]:
    answers, confidence, latencies = Counter[Key](), Counter[Key](), Counter[Key]()
    for row in AnswerRollup.objects.filter(width=width):
        key = (row.project_id, row.at, row.arm, row.model_number, row.failed, row.label)
        answers[key] += row.answers
        confidence[key] += round(row.confidence * 1e6)
    for bin_row in LatencyRollup.objects.filter(width=width):
        key = (bin_row.project_id, bin_row.at, bin_row.arm, bin_row.model_number, bin_row.failed, bin_row.place)
        latencies[key] += bin_row.answers
    return answers, confidence, latencies


def assert_counted() -> None:
    """Every row of the log is in its minute, its quarter and its hour, and nothing else is."""
    for width in RollupWidth:
        log, rollups = of_the_log(width), of_the_rollups(width)
        assert log[0] == rollups[0] and log[2] == rollups[2]
        assert set(log[1]) == set(rollups[1])
        assert all(abs(n - rollups[1][key]) <= log[0][key] for key, n in log[1].items())

"""Events that say what came of an answer, through the same service as the API. Its own table waits for answers that come later."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext_lazy

from apps.monitoring.feedback.services import MOST_ROWS, FeedbackRow, FeedbackStatus, feedback_take
from apps.projects.roles import Permission
from apps.rules.sentences import sentence, term
from apps.sources.events.event_kind import EventKind, EventOutcome, EventRow, OutcomeState
from apps.sources.models import SourcePartition

logger = logging.getLogger(__name__)
_STATES = {
    FeedbackStatus.KNOWN: OutcomeState.KNOWN,
    FeedbackStatus.OLDER: OutcomeState.KNOWN,
    FeedbackStatus.REFUSED: OutcomeState.REFUSED,
}


def _take(partition: SourcePartition, rows: Sequence[EventRow], at: datetime) -> list[EventOutcome]:
    readable = [row for row in rows if row.values is not None and not row.reason]
    answers = list[FeedbackRow]()
    for first in range(0, len(readable), MOST_ROWS):
        answers += _taken_or_split(partition, readable[first : first + MOST_ROWS], at)
    found = iter(answers)
    return [EventOutcome(OutcomeState.REFUSED, row.reason) if row.reason else _outcome(next(found)) for row in rows]


def _outcome(answer: FeedbackRow) -> EventOutcome:
    return EventOutcome(_STATES.get(answer.status, OutcomeState.TAKEN), answer.reason)


def _taken_or_split(partition: SourcePartition, rows: Sequence[EventRow], at: datetime) -> list[FeedbackRow]:
    """Rows that cannot be stored together are halved until the one at fault stands alone, and is refused."""
    try:
        with transaction.atomic():
            return feedback_take(project=partition.source.project, rows=[dict(row.values or {}) for row in rows], at=at)
    except (OperationalError, InterfaceError):
        raise  # the database is away, not the row at fault
    except Exception as cause:
        if len(rows) > 1:
            half = len(rows) // 2
            return [*_taken_or_split(partition, rows[:half], at), *_taken_or_split(partition, rows[half:], at)]
        logger.exception("The event %s of %s cannot be stored.", rows[0].offset, partition)
        words = sentence(
            "The event could not be stored, for a reason that nobody foresaw; the console’s log has it. ({fault})",
            fault=type(cause).__name__,
        )
        return [FeedbackRow(FeedbackStatus.REFUSED, words)]


FEEDBACK = EventKind(
    "feedback",
    gettext_lazy("Feedback"),
    term("feedback"),
    frozenset({Permission.SEND_FEEDBACK}),
    ("inference_id", "item", "label", "name", "value", "at"),
    ("inference_id",),
    _take,
)

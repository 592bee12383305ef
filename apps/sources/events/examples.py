"""Events that bring examples, with labels beside them where whoever set the source up may give some."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy

from apps.projects.roles import Permission
from apps.rules.sentences import term
from apps.sources.events.event_kind import EventKind, EventOutcome, EventRow
from apps.sources.events.ingesting import ingested
from apps.sources.models import SourcePartition


def _take(partition: SourcePartition, rows: Sequence[EventRow], at: datetime) -> list[EventOutcome]:
    return ingested(partition, rows, at, lambda row: None if row.values is None else dict(row.values))


EXAMPLES = EventKind(
    "examples",
    gettext_lazy("Examples"),
    term("examples"),
    frozenset({Permission.ADD_EXAMPLES}),
    ("id", "text", "a", "b", "prompt", "image", "label", "collected_at", "group"),
    ("id", "external_id", "text", "a", "b"),
    _take,
)

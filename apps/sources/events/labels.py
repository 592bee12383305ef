"""Events that say what an example is: by whom and when, or nobody's label. One that comes before its example waits for it."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy

from apps.datasets.erasing import erased_among
from apps.projects.roles import Permission
from apps.rules.sentences import sentence, term
from apps.sources.events.event_kind import EventKind, EventOutcome, EventRow, OutcomeState, external_id_of
from apps.sources.events.ingesting import NOT_HERE, here, ingested
from apps.sources.models import SourcePartition

KEYS = ("id", "label", "by", "at")
NO_LABEL = sentence("The event has no “label”: what the example is.")


def _take(partition: SourcePartition, rows: Sequence[EventRow], at: datetime) -> list[EventOutcome]:
    names = [external_id_of(row.values) for row in rows]
    known = here(partition, [name for name in names if name])
    known |= erased_among(partition.source.project, {name for name in names if name})  # refused in the intake's words
    outcomes = [EventOutcome(OutcomeState.WAITING, NOT_HERE)] * len(rows)
    fit = [
        i
        for i, (row, name) in enumerate(zip(rows, names, strict=True))
        if row.values is None or row.reason or not name or name in known
    ]
    said = [_said(rows[i]) for i in fit]
    for i, outcome in zip(fit, ingested(partition, said, at, _values), strict=True):
        outcomes[i] = outcome
    return outcomes


def _said(row: EventRow) -> EventRow:
    """Refused here where it says nothing: as a row of a file it would be one that is known."""
    if row.values is not None and row.values.get("label") in (None, ""):
        return EventRow(row.offset, row.values, row.reason or NO_LABEL, row.raw)
    return row


def _values(row: EventRow) -> dict[str, object] | None:
    """As a row of a file has it: the answer of a person, or a label."""
    if row.values is None:
        return None
    said = row.values
    about: dict[str, object] = {"id": said.get("id", said.get("external_id"))}
    if row.reason:
        return about
    if said.get("by") in (None, ""):
        return about | {"label": said["label"]}
    when = {} if said.get("at") in (None, "") else {"answer.at": said["at"]}
    return about | {"answer.by": said["by"], "answer.value": said["label"], **when}


LABELS = EventKind(
    "labels",
    gettext_lazy("Labels"),
    term("labels"),
    frozenset({Permission.LABEL, Permission.REVIEW, Permission.EDIT_PROJECT}),
    KEYS,
    ("id", "label"),
    _take,
)

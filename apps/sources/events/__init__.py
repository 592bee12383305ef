"""The kinds of events: what they say under our names, and who takes them."""

from apps.sources.events.event_kind import EventKind, EventOutcome, EventRow, OutcomeState, external_id_of
from apps.sources.events.registry import EVENT_KINDS

__all__ = ["EVENT_KINDS", "EventKind", "EventOutcome", "EventRow", "OutcomeState", "external_id_of"]

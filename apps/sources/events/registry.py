"""The kinds of events by name."""

from apps.rules.registry import Registry
from apps.sources.events.event_kind import EventKind
from apps.sources.events.examples import EXAMPLES
from apps.sources.events.feedback import FEEDBACK
from apps.sources.events.labels import LABELS

EVENT_KINDS = Registry[EventKind](
    group="fastloop.event_kinds", noun="kind of event", kind=EventKind, own=(EXAMPLES, LABELS, FEEDBACK)
)

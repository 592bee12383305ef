"""The kinds of streams that can be read, each behind the same port."""

from apps.sources.kinds.registry import SOURCE_KINDS
from apps.sources.kinds.source_kind import EventStream, SourceKind, StreamEnds, StreamEvent, StreamLag

__all__ = ["SOURCE_KINDS", "EventStream", "SourceKind", "StreamEnds", "StreamEvent", "StreamLag"]

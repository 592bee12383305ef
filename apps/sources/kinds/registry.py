"""The kinds of sources by name."""

from apps.rules.registry import Registry
from apps.sources.kinds.kafka import KAFKA
from apps.sources.kinds.redis_stream import REDIS_STREAM
from apps.sources.kinds.source_kind import SourceKind

SOURCE_KINDS = Registry[SourceKind](
    group="fastloop.source_kinds", noun="kind of source", kind=SourceKind, own=(REDIS_STREAM, KAFKA)
)

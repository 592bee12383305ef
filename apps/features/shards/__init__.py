"""Embedding shards: append-only Arrow IPC files, float16, memory-mapped; PostgreSQL keeps only the manifest."""

from apps.features.shards.files import Mapped, ShardLost
from apps.features.shards.manifest import shard_drop, shard_open, shard_write, shards_retire, shards_sweep
from apps.features.shards.reading import (
    Opened,
    encoder_covers,
    gathered,
    ids_without_vector,
    shard_sizes,
    shards_open,
    vectors_at,
    vectors_lacking,
)

__all__ = [
    "Mapped",
    "Opened",
    "ShardLost",
    "encoder_covers",
    "gathered",
    "ids_without_vector",
    "shard_drop",
    "shard_open",
    "shard_sizes",
    "shard_write",
    "shards_open",
    "shards_retire",
    "shards_sweep",
    "vectors_at",
    "vectors_lacking",
]

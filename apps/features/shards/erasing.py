"""Take one example's vectors out of every shard of a project: a shard with it is written anew without it."""

import hashlib

import numpy as np
from django.db import transaction

from apps.features.models import EmbeddingShard
from apps.features.shards.files import Mapped, ShardLost, packed
from apps.features.shards.manifest import shard_drop, shard_open
from apps.integrations import wiring
from apps.work.locks import Lock, lock


@transaction.atomic
def vectors_erase(*, project_id: int, example_id: int) -> int:
    """How many shards held it. File first, row second; the old file goes once the row no longer names it."""
    lock(Lock.SHARDS, project_id)
    held = 0
    for shard in EmbeddingShard.objects.filter(project_id=project_id).order_by("pk"):
        try:
            opened = shard_open(shard)
        except ShardLost as lost:
            shard_drop(shard=shard, why=str(lost))
            continue
        kept = opened.ids != example_id
        if not kept.all():
            held += 1
            _without(shard, opened, kept)
    return held


def _without(shard: EmbeddingShard, opened: Mapped, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> None:
    old = shard.url
    if not kept.any():
        shard.delete()
    else:
        content, usable = packed(opened.ids[kept], opened.holdout[kept], opened.vectors[kept])
        shard.sha256 = hashlib.sha256(content).hexdigest()
        place = f"shards/{shard.project_id}/{shard.encoder}/{shard.sha256[:16]}.arrow"
        shard.url = wiring.storage().write(place, content)
        shard.rows, shard.unusable, shard.size_bytes = int(kept.sum()), int((~usable).sum()), len(content)
        shard.save(update_fields=["url", "rows", "unusable", "size_bytes", "sha256"])
    transaction.on_commit(lambda: wiring.storage().remove(old))

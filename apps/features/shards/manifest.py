"""The manifest in PostgreSQL: what is written, what was lost, which files and encoders nobody needs any more."""

import hashlib
import logging
from collections.abc import Set
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Max
from numpy.typing import NDArray

from apps.datasets.ids import among, ids_erased
from apps.features.models import EmbeddingShard
from apps.features.shards.files import Mapped, ShardLost, mapped, packed
from apps.integrations import wiring
from apps.work.locks import Lock, lock

logger = logging.getLogger(__name__)
ORPHANED = timedelta(hours=1)  # a file without a row is younger than this while its writer may still live


def shard_write(
    *,
    project_id: int,
    encoder: str,
    ids: NDArray[np.int64],
    holdout: NDArray[np.bool_],
    vectors: NDArray[np.float16],
    at: datetime,
) -> EmbeddingShard | None:
    """File first, manifest row second: a crash between the two leaves a file that nobody reads and a sweep removes.

    ids (n,), holdout (n,), vectors (n, dim). No id stands in two shards of an encoder: what another worker wrote
    meanwhile is left out, so is an example that was deleted meanwhile. None comes back where nothing remains.
    """
    with transaction.atomic():
        lock(
            Lock.SHARDS, project_id
        )  # of all encoders: whoever takes a deleted example out must see each shard or none
        fresh = ~(_known(project_id, encoder, ids) | among(ids, ids_erased(project_id)))
        if not fresh.any():
            return None
        content, usable = packed(ids[fresh], holdout[fresh], vectors[fresh])
        digest = hashlib.sha256(content).hexdigest()
        url = wiring.storage().write(f"shards/{project_id}/{encoder}/{digest[:16]}.arrow", content)
        last = EmbeddingShard.objects.filter(project_id=project_id, encoder=encoder).aggregate(n=Max("number"))["n"]
        return EmbeddingShard.objects.create(
            project_id=project_id,
            encoder=encoder,
            number=(last or 0) + 1,
            url=url,
            rows=int(fresh.sum()),
            dim=vectors.shape[1],
            unusable=int((~usable).sum()),
            size_bytes=len(content),
            sha256=digest,
            created_at=at,
        )


def _known(project_id: int, encoder: str, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    known = np.zeros(len(ids), bool)
    for shard in EmbeddingShard.objects.filter(project_id=project_id, encoder=encoder):
        try:
            known |= among(ids, shard_open(shard).ids)
        except ShardLost as lost:
            shard_drop(shard=shard, why=str(lost))
    return known


def shard_open(shard: EmbeddingShard) -> Mapped:
    """Raises ShardLost."""
    return mapped(wiring.storage().local_path(shard.url), size_bytes=shard.size_bytes, sha256=shard.sha256)


def shard_drop(*, shard: EmbeddingShard, why: str) -> None:
    """Forget a shard that cannot be read; its examples count as not embedded from now on. The file goes with the sweep."""
    EmbeddingShard.objects.filter(pk=shard.pk).delete()
    logger.warning("%s of %s is lost, %d rows: %s.", shard, shard.encoder, shard.rows, why)


def shards_retire(*, project_id: int, needed: Set[str]) -> int:
    """Remove the shards of encoders that no model needs; how many went. The rows go first, so no reader finds half."""
    retired = list(EmbeddingShard.objects.filter(project_id=project_id).exclude(encoder__in=needed))
    EmbeddingShard.objects.filter(pk__in=[s.pk for s in retired]).delete()
    for shard in retired:
        wiring.storage().remove(shard.url)
    if retired:
        logger.info("project %s: %d shards of encoders that no model needs removed", project_id, len(retired))
    return len(retired)


def shards_sweep(*, at: datetime) -> int:
    """Remove files that no manifest row names, left by a writer that died or by a lost shard; how many went."""
    known = set(EmbeddingShard.objects.values_list("url", flat=True))
    gone = 0
    for url, modified in wiring.storage().listed("shards"):
        if url not in known and modified < at - ORPHANED and not EmbeddingShard.objects.filter(url=url).exists():
            wiring.storage().remove(url)
            gone += 1
    return gone

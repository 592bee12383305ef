"""Read vectors without ever joining the shards: each stays mapped where it lies, and rows are gathered by id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Sum
from numpy.typing import NDArray

from apps.datasets.ids import among, ids_selected
from apps.datasets.models import Example
from apps.features.models import EmbeddingShard
from apps.features.shards.files import Mapped, ShardLost
from apps.features.shards.manifest import shard_drop, shard_open


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """The readable shards of one encoder, oldest first. `lost_rows` were dropped just now and must be embedded again."""

    shards: tuple[Mapped, ...]
    lost_rows: int = 0

    @property
    def rows(self) -> int:
        return sum(map(len, self.shards))


def shards_open(project_id: int, encoder: str, numbers: Sequence[int] | None = None) -> Opened:
    """All shards, or those of the given numbers. One that is missing, damaged or of another width is dropped."""
    listed = EmbeddingShard.objects.filter(project_id=project_id, encoder=encoder)
    rows = list(listed if numbers is None else listed.filter(number__in=numbers))
    newest = listed.last()
    dim = newest.dim if newest else 0  # one name, one width: the newest shard says which
    found, lost_rows = [], 0
    for row in rows:
        try:
            shard = shard_open(row)
            if dim and shard.vectors.shape[1] != dim:
                raise ShardLost(f"its vectors have {shard.vectors.shape[1]} numbers, those of the newest shard {dim}")
            found.append(shard)
        except ShardLost as lost:
            shard_drop(shard=row, why=str(lost))
            lost_rows += row.rows
    return Opened(tuple(found), lost_rows)


def vectors_at(project_id: int, encoder: str, ids: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Vectors (n, dim) in the order of ids (n,), and which were found (n,). Not found or not usable is a row of zeros."""
    return gathered(shards_open(project_id, encoder).shards, ids)


def gathered(shards: Sequence[Mapped], ids: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """As vectors_at, from shards that are open already."""
    dim = shards[0].vectors.shape[1] if shards else 0
    out, found = np.zeros((len(ids), dim), np.float32), np.zeros(len(ids), bool)
    for shard in shards:
        here = among(ids, shard.ids)
        if here.any():
            out[here] = shard.vectors[np.searchsorted(shard.ids, ids[here])]
            found |= here
    return out, found


def ids_without_vector(project_id: int, encoder: str) -> NDArray[np.int64]:
    """Ascending."""
    every = ids_selected(
        "SELECT id FROM datasets_example WHERE project_id = %(project)s ORDER BY id", {"project": project_id}
    )
    missing = np.ones(len(every), bool)
    for shard in shards_open(project_id, encoder).shards:
        missing &= ~among(every, shard.ids)
    return every[missing]


def encoder_covers(project_id: int, encoder: str, ids: NDArray[np.int64]) -> bool:
    """Whether each of these examples has its vector."""
    covered = np.zeros(len(ids), bool)
    for shard in shards_open(project_id, encoder).shards:
        covered |= among(ids, shard.ids)
    return bool(covered.all())


def shard_sizes(project_id: int, encoder: str) -> list[tuple[int, int]]:
    """(number, rows) of each shard, in order."""
    rows = EmbeddingShard.objects.filter(project_id=project_id, encoder=encoder).order_by("number")
    return list(rows.values_list("number", "rows"))


def vectors_lacking(project_id: int, encoders: Iterable[str]) -> bool:
    """Whether some example has no vector of one of these encoders. An example is in one shard of an encoder at most."""
    shards = EmbeddingShard.objects.filter(project_id=project_id).order_by().values("encoder").annotate(n=Sum("rows"))
    covered = dict(shards.values_list("encoder", "n"))
    examples = Example.objects.filter(project_id=project_id).count()
    return any(covered.get(encoder, 0) < examples for encoder in encoders)

"""Embedding shards: append-only Arrow IPC files, float16, memory-mapped; PostgreSQL keeps only the manifest."""

import hashlib
from datetime import datetime

import numpy as np
import pyarrow as pa
from django.db import transaction
from django.db.models import Max
from numpy.typing import NDArray

from apps.datasets.models import EmbeddingShard, Example
from apps.integrations import wiring
from apps.projects.models import Project


def shard_write(
    *, project_id: int, encoder: str, ids: NDArray[np.int64], vectors: NDArray[np.float16], at: datetime
) -> EmbeddingShard:
    """File first, manifest row second: a crash between the two leaves a file unread. ids (n,), vectors (n, dim)."""
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1), pa.float16()), vectors.shape[1])
    table = pa.table({"id": pa.array(ids, pa.int64()), "vector": column})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    content = sink.getvalue().to_pybytes()
    digest = hashlib.sha256(content).hexdigest()
    url = wiring.storage().write(f"shards/{project_id}/{encoder}/{digest[:16]}.arrow", content)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project_id)
        last = EmbeddingShard.objects.filter(project_id=project_id, encoder=encoder).aggregate(n=Max("number"))["n"]
        return EmbeddingShard.objects.create(
            project_id=project_id, encoder=encoder, number=(last or 0) + 1, url=url, rows=len(ids), sha256=digest,
            created_at=at,
        )  # fmt: skip


def vectors_of(project_id: int, encoder: str) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """All ids (n,) and vectors (n, dim) of a project; one shard is mapped, several are joined once."""
    ids, vectors = [], []
    for shard in EmbeddingShard.objects.filter(project_id=project_id, encoder=encoder):
        mapped = pa.memory_map(wiring.storage().local_path(shard.url))
        table = pa.ipc.open_file(mapped).read_all()
        column = table["vector"].combine_chunks()
        ids.append(table["id"].to_numpy())
        vectors.append(column.flatten().to_numpy(zero_copy_only=True).reshape(len(table), -1))
    if not ids:
        return np.empty(0, np.int64), np.empty((0, 0), np.float16)
    return (ids[0], vectors[0]) if len(ids) == 1 else (np.concatenate(ids), np.concatenate(vectors))


def ids_without_vector(project_id: int, encoder: str) -> list[int]:
    have, _ = vectors_of(project_id, encoder)
    every = np.fromiter(
        Example.objects.filter(project_id=project_id).values_list("pk", flat=True).iterator(), dtype=np.int64
    )
    return [int(i) for i in np.setdiff1d(every, have, assume_unique=True)]

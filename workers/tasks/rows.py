"""Fetch what a model reads: vectors from shards, bytes of images, rows of tables, in the order of the ids asked for."""

import logging
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.datasets.selectors import blobs_of, fields_of, holdout_flags
from apps.features.shards import ids_without_vector, shard_write, vectors_at
from apps.labeling.encoders import encoder_of
from apps.monitoring.models import AskedPayload
from apps.projects import task_types
from apps.projects.models import Project
from apps.projects.task_types import PayloadRefused
from workers.encoders import encoder_ready
from workers.training.encoders.encoder import encoded
from workers.training.models.inputs import Rows
from workers.training.models.words import TextRows

logger = logging.getLogger(__name__)
SHARD_ROWS = 50_000  # 38 MB of float16; small enough to lose little when a worker dies
FETCHED = 2000  # payloads in memory at once while a shard is filled: images of 4096 a side are allowed
Ids = Sequence[int] | NDArray[np.int64]
_embedding: dict[tuple[int, str], threading.Lock] = defaultdict(threading.Lock)


def rows_of(project: Project, example_ids: Ids, *, encoder: str = "") -> Rows:
    """The rows of these examples as the task type's model takes them. Text: float32 (n, dim), whose texts are fetched where a
    model reads them too.

    `encoder` is the one that the model was trained with (`bundle.encoder`); without, the project's own.
    """
    ids = np.asarray(example_ids, np.int64)
    if task_types.get(project.task_type).reads_vectors:
        vectors = vectors_whole(project, encoder or encoder_of(project), ids)
        return TextRows(vectors, lambda: payloads_of(project, ids))
    return payloads_of(project, ids)


def vectors_whole(project: Project, encoder: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors (n, dim) of all these examples; those that have none yet are encoded now, and only those."""
    vectors, found = vectors_at(project.pk, encoder, ids)
    if not found.all():
        shard_fill(project, encoder, np.unique(ids[~found]))
        vectors, _ = vectors_at(project.pk, encoder, ids)
    return vectors


def vectors_complete(project: Project, encoder: str = "") -> int:
    """Encode every example that has no vector yet; returns how many. One at a time in this process."""
    name = encoder or encoder_of(project)
    with _embedding[project.pk, name]:
        missing = ids_without_vector(project.pk, name)
        for start in range(0, len(missing), SHARD_ROWS):
            shard_fill(project, name, missing[start : start + SHARD_ROWS])
        return len(missing)


def shard_fill(project: Project, encoder: str, ids: NDArray[np.int64]) -> None:
    """Encode these examples into one new shard."""
    began = timezone.now()
    encoder_ready(encoder)
    parts = [
        encoded(encoder, payloads_of(project, ids[start : start + FETCHED])) for start in range(0, len(ids), FETCHED)
    ]
    if not parts:
        return
    holdout = holdout_flags(ids.tolist())
    flags: NDArray[np.bool_] = np.array([holdout[int(i)] for i in ids], bool)
    shard_write(
        project_id=project.pk, encoder=encoder, ids=ids, holdout=flags, vectors=np.concatenate(parts), at=timezone.now()
    )
    seconds = (timezone.now() - began).total_seconds()
    rate = len(ids) / max(seconds, 1e-9)
    logger.info("%s: %d examples embedded in %.1f s, %.0f examples/s", project, len(ids), seconds, rate)


def payloads_of(project: Project, ids: NDArray[np.int64]) -> list[Any]:
    """Texts, encoded images or table rows, in the order of the ids."""
    payload, asked = task_types.get(project.task_type).payload, ids.tolist()
    fields, images = fields_of(asked), blobs_of(asked) if payload.has_image else {}
    return [payload.for_model(fields[i], images.get(i)) for i in asked]


def asked_rows(project: Project, payloads: Sequence[AskedPayload]) -> list[Any]:
    """What of kept requests can be read, as an encoder takes it."""
    task, read = task_types.get(project.task_type), list[Any]()
    for payload in payloads:
        image = {} if payload.image is None else {"image": bytes(payload.image)}
        try:
            found = task.read({**payload.row, **image})
        except PayloadRefused:
            continue
        read.append(task.payload.for_model(found.fields, found.blob))
    return read

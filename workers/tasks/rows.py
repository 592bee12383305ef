"""Fetch what a model reads: vectors from shards, bytes of images, rows of tables, in the order of the ids asked for."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.datasets.models import Example, ExampleBlob
from apps.datasets.shards import ids_without_vector, shard_write, vectors_of
from apps.projects.models import Project
from workers.training.encoder import ENCODER_NAME, encoder
from workers.training.inputs import Rows

logger = logging.getLogger(__name__)
SHARD_ROWS = 50_000  # 38 MB of float16; small enough to lose little when a worker dies
_embedding = threading.Lock()


def rows_of(project: Project, example_ids: Sequence[int]) -> Rows:
    """The rows of these examples as the task type's model takes them. Text: float32 (n, dim)."""
    return _FETCH[project.task_type](project, example_ids)


def _vectors(project: Project, example_ids: Sequence[int]) -> Rows:
    ids, vectors = vectors_of(project.pk, ENCODER_NAME)
    if len(np.setdiff1d(example_ids, ids)):
        vectors_complete(project)
        ids, vectors = vectors_of(project.pk, ENCODER_NAME)
    order = np.argsort(ids)
    places = order[np.searchsorted(ids, example_ids, sorter=order)]
    return vectors[places].astype(np.float32)


def _images(project: Project, example_ids: Sequence[int]) -> Rows:
    blobs = dict(ExampleBlob.objects.filter(example_id__in=list(example_ids)).values_list("example_id", "content"))
    return [bytes(blobs[i]) for i in example_ids]


def _tables(project: Project, example_ids: Sequence[int]) -> Rows:
    fields = dict(Example.objects.filter(pk__in=list(example_ids)).values_list("pk", "fields"))
    return [fields[i]["features"] for i in example_ids]


_FETCH: dict[str, Callable[[Project, Sequence[int]], Rows]] = {
    "text-classification": _vectors,
    "image-classification": _images,
    "tabular-classification": _tables,
}


def vectors_complete(project: Project) -> int:
    """Encode every text that has no vector yet; returns how many. One at a time in this process."""
    with _embedding:
        missing = ids_without_vector(project.pk, ENCODER_NAME)
        for start in range(0, len(missing), SHARD_ROWS):
            _encode_shard(project, missing[start : start + SHARD_ROWS])
        return len(missing)


def _encode_shard(project: Project, ids: Sequence[int]) -> None:
    texts: dict[int, dict[str, Any]] = dict(Example.objects.filter(pk__in=list(ids)).values_list("pk", "fields"))
    known: NDArray[np.int64] = np.array([i for i in ids if i in texts], np.int64)
    began = timezone.now()
    vectors = encoder().encode([texts[int(i)]["text"] for i in known])
    shard_write(project_id=project.pk, encoder=ENCODER_NAME, ids=known, vectors=vectors, at=timezone.now())
    seconds = (timezone.now() - began).total_seconds()
    logger.info(
        "%s: %d texts embedded in %.1f s, %.0f texts/s", project, len(known), seconds, len(known) / max(seconds, 1e-9)
    )

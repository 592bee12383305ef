"""Texts get their vectors once, in shards that stay."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest

from apps.datasets.models import EmbeddingShard
from apps.datasets.shards import vectors_at
from apps.loop import services as loop
from apps.projects.models import Project
from tests.workers.conftest import JobsAtOnce
from workers.tasks.rows import rows_of, vectors_complete
from workers.training.encoder import ENCODER_NAME

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_text_is_encoded_once_and_a_later_one_goes_into_a_new_shard(
    make_project: Callable[..., Project], noon: datetime, jobs: JobsAtOnce
) -> None:
    project = make_project("text-classification", ("a", "b"))
    rows = [{"id": str(i), "text": text} for i, text in enumerate(("my card is lost", "where is my money"))]
    loop.batch_take(project=project, rows=rows, source="test", by=None, at=noon)
    loop.batch_take(project=project, rows=[{"id": "9", "text": "I lost my card"}], source="test", by=None, at=noon)
    ids = np.array(project.examples.order_by("pk").values_list("pk", flat=True))
    vectors, found = vectors_at(project.pk, ENCODER_NAME, ids)
    assert found.all()
    assert [s.rows for s in EmbeddingShard.objects.filter(project=project)] == [2, 1]
    assert vectors.shape == (3, 384)
    assert vectors_complete(project) == 0
    near, far = vectors[0].astype(float) @ vectors[2].astype(float), vectors[0].astype(float) @ vectors[1].astype(float)
    assert near > 0.8 > far
    backwards = rows_of(project, [int(i) for i in ids[::-1]])
    assert np.array_equal(backwards, vectors[::-1].astype(np.float32))

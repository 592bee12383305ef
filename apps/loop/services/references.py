"""What windows of a champion are compared with: its holdout, and the examples that it learned from."""

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any

import numpy as np
from django.db.models import Max

from apps.datasets.selectors import blobs_of, column_values
from apps.datasets.versions import version_rows
from apps.evaluation.gates.selectors import sensitive_columns_of
from apps.evaluation.selectors import predictions_of
from apps.features.shards import vectors_at
from apps.loop.services.audited import answers_audited, slice_audited
from apps.loop.services.encoders import encoder_of_run
from apps.monitoring.monitors.reference import EncodedReference, HoldoutAnswers, MonitorReference, ReferenceRows
from apps.projects import task_types
from apps.releases.models import ModelVersion, Promotion

MOST_LEARNED, MOST_VECTORS = 5_000, 400  # examples, thinned evenly, whose columns and vectors are compared
GRAMS, SIDE = 256, 16  # length of a text's vector; of a picture, the pixels of a side
Rows = Sequence[Mapping[str, Any]]


def reference_of(champion: ModelVersion) -> MonitorReference:
    """Each part is read once, when a monitor asks for it."""
    project, report = champion.project, champion.report
    served = Promotion.objects.filter(version=champion).aggregate(at=Max("at"))["at"]
    payload = task_types.get(project.task_type).payload
    vectors = _picture_vectors if payload.has_image else None if payload.has_features else _text_vectors

    @cache
    def learned_ids() -> list[int]:
        version = champion.run.dataset_version
        rows = version_rows(version) if version is not None else []  # an online run has none
        ids = [row.example_id for row in rows if not row.holdout]
        return ids[:: max(len(ids) // MOST_LEARNED, 1)][:MOST_LEARNED]

    @cache
    def said() -> Any:
        return predictions_of(report)

    @cache
    def groups() -> dict[str, tuple[Any, ...]]:
        marked = sensitive_columns_of(project)
        return column_values(project, list(said().example_ids), marked) if marked else {}

    @cache
    def columns() -> dict[str, tuple[Any, ...]]:
        return column_values(project, learned_ids())

    def thinned() -> list[int]:
        return learned_ids()[:: max(len(learned_ids()) // MOST_VECTORS, 1)][:MOST_VECTORS]

    @cache
    def learned_vectors() -> Any:
        if vectors is None:
            return None
        ids = thinned()
        blobs = blobs_of(ids) if payload.has_image else {}
        table = column_values(project, ids)
        rows = [{name: values[i] for name, values in table.items()} for i in range(len(ids))]
        return vectors(rows, [blobs.get(i) for i in ids])

    encoder = encoder_of_run(champion.run)

    @cache
    def stored_vectors() -> Any:
        """Of the examples that have one, each of some direction."""
        ids = np.sort(np.asarray(thinned(), np.int64))
        found, there = vectors_at(project.pk, encoder, ids)
        usable = found[there & found.any(axis=1)].astype(float) if found.size else found
        return usable if len(usable) else None

    return MonitorReference(
        model_number=champion.number,
        serves_since=served or champion.created_at,
        label_names=report.label_names,
        holdout=cache(lambda: HoldoutAnswers(said().truth, said().predicted, said().confidence, said().margin)),
        learned=ReferenceRows(columns=columns, vectors=learned_vectors),
        groups=groups,
        encode=vectors,
        encoded=EncodedReference(encoder, stored_vectors) if vectors is not None else None,
        audited=partial(answers_audited, project, champion.number),
        slice_audited=partial(slice_audited, project, champion.number),
    )


def _text_vectors(rows: Rows, images: Sequence[bytes | None]) -> Any:
    """Hashed pieces of words, of length 1: near where the wording is. (n, GRAMS)."""
    from sklearn.feature_extraction.text import HashingVectorizer

    pieces = HashingVectorizer(n_features=GRAMS, analyzer="char_wb", ngram_range=(3, 4), norm="l2")
    texts = [" ".join(str(value) for value in row.values() if value is not None) for row in rows]
    return pieces.transform(texts).toarray() if texts else None


def _picture_vectors(rows: Rows, images: Sequence[bytes | None]) -> Any:
    """SIDE by SIDE grey pixels, 0 to 1; a picture that cannot be read is left out. (n, SIDE * SIDE)."""
    from PIL import Image, UnidentifiedImageError

    found = []
    for content in images:
        if content is None:
            continue
        with suppress(UnidentifiedImageError, OSError, ValueError):
            picture = Image.open(io.BytesIO(content)).convert("L").resize((SIDE, SIDE))
            found.append(np.asarray(picture, np.float64).ravel() / 255)
    return np.stack(found) if found else None

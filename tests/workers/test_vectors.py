"""Examples get their vectors once; what is lost or strange costs only itself, and a change of encoder stops nothing."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone

from apps.datasets.models import Example
from apps.features.models import EmbeddingShard
from apps.features.shards import shards_open, vectors_at
from apps.integrations import wiring
from apps.labeling.models import Label, QueueSettings
from apps.loop import services as loop
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.services import model_promote
from apps.training.models import Run
from apps.work.names import Job
from tests.workers.at_once import JobsAtOnce
from tests.workers.mail import HASHED, MINILM, frontier, order, pool_of, texts, waiting_elsewhere
from workers.tasks.bundles import bundle_at
from workers.tasks.rows import rows_of, shard_fill, vectors_complete
from workers.tasks.score import score
from workers.training.encoders.encoder import ENCODER_NAME

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


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed"])
def test_a_lost_shard_is_skipped_embedded_again_and_scored_while_the_queue_goes_on(
    trained: Project, jobs: JobsAtOnce, damage: str
) -> None:
    lost = EmbeddingShard.objects.filter(project=trained).first()
    rows = set(shards_open(trained.pk, HASHED, [lost.number]).shards[0].ids.tolist())
    path = Path(wiring.storage().local_path(lost.url))
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if damage == "truncated" else content.replace(b"\x00" * 8, b"\x01" * 8, 1))
    jobs.held = {Job.EMBED}
    score(trained.pk)
    found = frontier(trained)
    assert found.unscored == len(rows & pool_of(trained)) > 20
    assert len(order(trained)) > 0
    assert not rows & set(order(trained))
    assert not EmbeddingShard.objects.filter(pk=lost.pk).exists()

    jobs.held = set()
    jobs.send(Job.EMBED, args=(trained.pk,), queue="embedding")
    assert frontier(trained).unscored == 0
    assert set(order(trained)) == pool_of(trained) - waiting_elsewhere(trained)


def test_vectors_of_nan_go_last_and_are_counted(mail: Project, jobs: JobsAtOnce, take, monkeypatch) -> None:
    def broken(name: str, payloads: list[str]) -> np.ndarray:
        found = encoded(name, payloads)
        found[[i for i, text in enumerate(payloads) if text.endswith("7")]] = np.nan
        return found

    from workers.tasks import rows

    encoded = rows.encoded
    take(mail, texts(1000, 80, labeled=True))
    monkeypatch.setattr(rows, "encoded", broken)
    take(mail, texts(3000, 20, labeled=False))
    loop.run_start_now(project=mail, kind="full", by=None, at=timezone.now())
    spoiled = set(
        Example.objects.filter(external_id__in=["t3007", "t3017"], holdout=False).values_list("pk", flat=True)
    )
    assert frontier(mail).unscored == len(spoiled) > 0
    in_lane = [pk for pk in order(mail) if pk in spoiled]
    assert order(mail)[len(order(mail)) - len(in_lane) :] == in_lane


def test_one_text_that_cannot_be_encoded_does_not_stop_the_others(mail: Project, take, monkeypatch) -> None:
    from workers.training.encoders.light import HashedWords

    whole = HashedWords.encode

    def choosy(self: HashedWords, payloads: list[str]) -> np.ndarray:
        if any("poison" in text for text in payloads):
            raise RuntimeError("the library cannot take this")
        return whole(self, payloads)

    monkeypatch.setattr(HashedWords, "encode", choosy)
    take(mail, [*texts(2000, 6, labeled=False), {"id": "p", "text": "poison"}, *texts(2100, 6, labeled=False)])
    newest = EmbeddingShard.objects.filter(project=mail).last()
    assert (newest.rows, newest.unusable) == (13, 1)


def test_a_change_of_encoder_happens_beside_the_queue(trained: Project, jobs: JobsAtOnce, take, lin) -> None:
    first = Run.objects.get(project=trained)
    version = ModelVersion.objects.get(run=first)
    model_promote(version=version, reason="It is the first model of these tests.", by=lin, at=timezone.now())
    QueueSettings.objects.filter(project=trained).update(encoder=MINILM)
    trained.refresh_from_db()

    jobs.held = {Job.EMBED}  # the new encoder has not begun: everything goes on with the old one
    take(trained, texts(1100, 10, labeled=True))
    second = loop.run_start_now(project=trained, kind="incremental", by=None, at=timezone.now())
    second.refresh_from_db()
    assert (second.state, second.recipe["encoder"], second.recipe["kind"]) == ("completed", HASHED, "incremental")
    assert frontier(trained).encoder == HASHED
    assert loop.encoders_needed(trained) == [HASHED, MINILM]

    jobs.held = set()
    jobs.send(Job.EMBED, args=(trained.pk,), queue="embedding")
    assert {s.encoder for s in EmbeddingShard.objects.filter(project=trained)} == {HASHED, MINILM}
    score(trained.pk)
    assert frontier(trained).encoder == HASHED  # that of the model that scores
    loop.vectors_sweep(at=timezone.now())
    assert EmbeddingShard.objects.filter(project=trained, encoder=HASHED).exists()

    take(trained, texts(1200, 10, labeled=True))
    third = loop.run_start_now(project=trained, kind="incremental", by=None, at=timezone.now())
    third.refresh_from_db()
    assert (third.state, third.recipe["encoder"], third.recipe["kind"]) == ("completed", MINILM, "full")
    assert third.lines.filter(text__contains="reads other vectors than all-minilm-l6-v2").exists()
    assert third.labels == Label.objects.filter(project=trained, holdout=False).count()
    assert bundle_at(third.artifact_url).encoder == MINILM
    assert frontier(trained).encoder == MINILM

    loop.vectors_sweep(at=timezone.now())
    assert EmbeddingShard.objects.filter(project=trained, encoder=HASHED).exists()  # the champion still reads them
    newest = ModelVersion.objects.get(run=third)
    model_promote(version=newest, reason="It is the newest model of these tests.", by=lin, at=timezone.now())
    loop.vectors_sweep(at=timezone.now())
    assert not EmbeddingShard.objects.filter(project=trained, encoder=HASHED).exists()


def test_two_workers_that_encode_the_same_texts_leave_each_id_in_one_shard(mail: Project) -> None:
    ids = np.array(sorted(pool_of(mail)), np.int64)
    shard_fill(mail, HASHED, ids)
    every = np.concatenate([s.ids for s in shards_open(mail.pk, HASHED).shards])
    assert len(np.unique(every)) == len(every) == Example.objects.filter(project=mail).count()

"""A shard that is there can be trusted, and one that is not costs only its own rows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from apps.datasets.models import Example
from apps.features.models import EmbeddingShard
from apps.features.shards import (
    encoder_covers,
    ids_without_vector,
    shard_write,
    shards_open,
    shards_retire,
    shards_sweep,
    vectors_at,
)
from apps.integrations import wiring
from apps.projects.models import Project

pytestmark = pytest.mark.django_db
DIM = 8


@pytest.fixture
def ids(project: Project, noon: datetime) -> NDArray[np.int64]:
    made = Example.objects.bulk_create(
        [
            Example(
                project=project,
                external_id=f"e{i}",
                fields={"text": f"text {i}"},
                holdout=i % 5 == 0,
                collected_at=noon,
                ingested_at=noon,
            )
            for i in range(20)
        ]
    )
    return np.array([e.pk for e in made], np.int64)


def vectors(n: int, *, dim: int = DIM, seed: int = 0) -> NDArray[np.float16]:
    found = np.random.default_rng(seed).normal(size=(n, dim))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture
def write(project: Project, noon: datetime) -> Callable[..., EmbeddingShard | None]:
    def written(ids: NDArray[np.int64], rows: NDArray[np.float16], encoder: str = "e") -> EmbeddingShard | None:
        return shard_write(project_id=project.pk, encoder=encoder, ids=ids, holdout=ids % 2 == 0, vectors=rows, at=noon)

    return written


def path_of(shard: EmbeddingShard) -> Path:
    return Path(wiring.storage().local_path(shard.url))


def test_rows_come_back_by_id_across_shards_in_the_order_asked_for(project, ids, write) -> None:
    rows = vectors(20)
    write(ids[:12][::-1], rows[:12][::-1])
    write(ids[12:], rows[12:])
    wanted = ids[[19, 3, 12, 3, 0]]
    found, there = vectors_at(project.pk, "e", wanted)
    assert there.all()
    assert np.array_equal(found, rows[[19, 3, 12, 3, 0]].astype(np.float32))
    shards = shards_open(project.pk, "e").shards
    assert [len(s) for s in shards] == [12, 8]
    assert all((s.holdout == (s.ids % 2 == 0)).all() for s in shards)
    assert not shards[0].vectors.flags.owndata  # mapped, not read


def test_the_manifest_says_how_wide_and_how_large_the_file_is(ids, write) -> None:
    shard = write(ids, vectors(20))
    assert (shard.rows, shard.dim, shard.unusable) == (20, DIM, 0)
    assert shard.size_bytes == path_of(shard).stat().st_size


def test_an_id_stands_in_one_shard_only_even_when_two_workers_encode_it(project, ids, write) -> None:
    write(ids[:12], vectors(12))
    second = write(ids[8:], vectors(12, seed=1))
    assert second.rows == 8
    assert write(ids, vectors(20, seed=2)) is None
    assert np.array_equal(vectors_at(project.pk, "e", ids[8:12])[0], vectors(12)[8:12].astype(np.float32))


def test_an_unknown_id_is_a_row_of_zeros_and_said_to_be_missing(project, ids, write) -> None:
    write(ids[:10], vectors(10))
    found, there = vectors_at(project.pk, "e", ids[9:11])
    assert there.tolist() == [True, False]
    assert not found[1].any()
    assert not encoder_covers(project.pk, "e", ids)
    assert encoder_covers(project.pk, "e", ids[:10])
    assert np.array_equal(ids_without_vector(project.pk, "e"), ids[10:])


def test_a_crash_between_file_and_manifest_leaves_nothing_to_read_and_the_sweep_removes_the_file(
    project, ids, write, noon, monkeypatch
) -> None:
    def crash(**fields: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(EmbeddingShard.objects, "create", crash)
        write(ids, vectors(20))
    (orphan,) = [url for url, _ in wiring.storage().listed("shards")]
    assert shards_open(project.pk, "e").shards == ()
    assert len(ids_without_vector(project.pk, "e")) == 20
    later = datetime.now(noon.tzinfo)
    assert shards_sweep(at=later + timedelta(minutes=59)) == 0  # its writer may still live
    assert shards_sweep(at=later + timedelta(minutes=61)) == 1
    assert list(wiring.storage().listed("shards")) == [], orphan


def test_the_sweep_keeps_what_the_manifest_names(project, ids, write, noon) -> None:
    write(ids, vectors(20))
    assert shards_sweep(at=datetime.now(noon.tzinfo) + timedelta(days=9)) == 0
    assert vectors_at(project.pk, "e", ids)[1].all()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [Path.unlink, truncate, flip], ids=["missing", "truncated", "one bit flipped"])
@pytest.mark.parametrize("read_before", [False, True])
def test_a_damaged_shard_is_found_dropped_and_its_rows_count_as_not_embedded(
    project, ids, write, damage, read_before
) -> None:
    lost, kept = write(ids[:12], vectors(12)), write(ids[12:], vectors(8))
    if read_before:  # the digest of the old file is known to this process
        assert shards_open(project.pk, "e").rows == 20
    damage(path_of(lost))
    opened = shards_open(project.pk, "e")
    assert (opened.rows, opened.lost_rows) == (8, 12)
    assert list(EmbeddingShard.objects.filter(project=project)) == [kept]
    assert np.array_equal(ids_without_vector(project.pk, "e"), ids[:12])
    again = write(ids[:12], vectors(12))
    assert again.number == 3
    assert shards_open(project.pk, "e").rows == 20


def test_a_lost_shard_is_written_again_under_its_own_name(project, ids, write) -> None:
    first = write(ids, vectors(20))
    flip(path_of(first))
    assert shards_open(project.pk, "e").lost_rows == 20
    again = write(ids, vectors(20))
    assert again.url == first.url
    assert np.array_equal(vectors_at(project.pk, "e", ids)[0], vectors(20).astype(np.float32))


def test_vectors_without_a_direction_are_counted_and_stand_as_zeros(project, ids, write) -> None:
    rows = vectors(20)
    rows[0], rows[1], rows[2, 3], rows[4] = np.nan, 0, np.inf, 0.25
    assert write(ids, rows).unusable == 4
    (shard,) = shards_open(project.pk, "e").shards
    assert np.flatnonzero(~shard.usable).tolist() == [0, 1, 2, 4]
    found, there = vectors_at(project.pk, "e", ids)
    assert there.all()
    assert np.isfinite(found).all()
    assert not found[[0, 1, 2, 4]].any()


def test_shards_of_one_name_and_another_width_are_dropped_for_the_newest(project, ids, write) -> None:
    write(ids[:12], vectors(12, dim=6))
    write(ids[12:], vectors(8))
    opened = shards_open(project.pk, "e")
    assert (opened.rows, opened.lost_rows) == (8, 12)
    assert np.array_equal(ids_without_vector(project.pk, "e"), ids[:12])


def test_two_encoders_never_mix_and_one_that_nobody_needs_can_go(project, ids, write) -> None:
    old, new = write(ids, vectors(20), "old"), write(ids, vectors(20, seed=1), "new")
    assert np.array_equal(vectors_at(project.pk, "new", ids)[0], vectors(20, seed=1).astype(np.float32))
    assert shards_retire(project_id=project.pk, needed={"new"}) == 1
    assert not path_of(old).exists()
    assert path_of(new).exists()
    assert vectors_at(project.pk, "old", ids)[1].sum() == 0

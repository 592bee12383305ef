"""Delta tables behind the port: all rows of an append or none, whoever else writes."""

import threading
import uuid
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from apps.integrations.delta import DeltaTables, options_of
from apps.integrations.ports import TableMissing, Unavailable

TABLES = DeltaTables()


def rows(batch: str, count: int = 3) -> pa.Table:
    return pa.table({"batch": [batch] * count, "n": list(range(count))})


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path / 'a folder' / 'table'}"


def test_appends_are_read_by_their_batches(url: str) -> None:
    TABLES.append(url, rows("a"))
    size = TABLES.append(url, rows("b", 2))
    assert (size.files, size.bytes > 500) == (2, True)
    assert TABLES.read(url, ["b"]).to_pylist() == [{"batch": "b", "n": 0}, {"batch": "b", "n": 1}]
    assert TABLES.read(url, ["a", "b"]).num_rows == 5
    assert TABLES.read(url, ["c"]).num_rows == 0
    assert TABLES.read(url, []).num_rows == 0


def test_a_table_that_is_not_there_is_missing_for_good(url: str) -> None:
    for ask in (TABLES.size, lambda at: TABLES.read(at, ["a"]), lambda at: TABLES.tidy(at, [], vacuum_hours=1)):
        with pytest.raises(TableMissing) as missing:
            ask(url)
        assert missing.value.permanent


def test_many_who_append_at_once_without_any_lock_lose_nothing(url: str) -> None:
    """Delta's own commits order them, the first ones too, who all want to make the table."""
    raised: list[Exception] = []
    together = threading.Barrier(6)

    def append(batch: str) -> None:
        together.wait()
        try:
            TABLES.append(url, rows(batch))
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=append, args=(f"b{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    found = TABLES.read(url, [f"b{i}" for i in range(6)])
    assert found.num_rows == 18
    assert len(set(found.column("batch").to_pylist())) == 6


def test_an_append_that_another_overtakes_is_tried_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import deltalake
    from deltalake.exceptions import CommitFailedError

    tried, real = [], deltalake.write_deltalake

    def overtaken(*args: object, **more: object) -> None:
        tried.append(1)
        if len(tried) < 3:
            raise CommitFailedError("a concurrent transaction was faster")
        real(*args, **more)

    monkeypatch.setattr(deltalake, "write_deltalake", overtaken)
    TABLES.append(url, rows("a"))
    assert (len(tried), TABLES.read(url, ["a"]).num_rows) == (3, 3)
    tried.clear()
    monkeypatch.setattr(
        deltalake, "write_deltalake", lambda *args, **more: (_ for _ in ()).throw(CommitFailedError("no"))
    )
    with pytest.raises(Unavailable, match="could not be used: no"):
        TABLES.append(url, rows("b"))


def test_tidying_forgets_what_is_not_kept_and_merges_many_small_files(url: str) -> None:
    for i in range(40):
        TABLES.append(url, rows(f"b{i}"))
    assert TABLES.tidy(url, [f"b{i}" for i in range(39)], vacuum_hours=24).files == 1
    folder = Path(url.removeprefix("file://"))
    assert len(list(folder.glob("*.parquet"))) > 40, "files replaced a moment ago stay for whoever reads them"
    TABLES.tidy(url, [f"b{i}" for i in range(39)], vacuum_hours=0)
    assert len(list(folder.glob("*.parquet"))) == 1
    assert TABLES.read(url, [f"b{i}" for i in range(40)]).num_rows == 39 * 3


def test_a_file_that_a_killed_writer_left_behind_is_removed_once_it_is_old(url: str) -> None:
    TABLES.append(url, rows("a"))
    folder = Path(url.removeprefix("file://"))
    (left,) = folder.glob("*.parquet")
    half = folder / f"part-00001-{uuid.uuid4()}-c000.snappy.parquet"
    half.write_bytes(left.read_bytes()[:100])
    TABLES.tidy(url, ["a"], vacuum_hours=24)
    assert half.exists(), "somebody may be writing it right now"
    TABLES.tidy(url, ["a"], vacuum_hours=0)
    assert list(folder.glob("*.parquet")) == [left]
    assert TABLES.read(url, ["a"]).num_rows == 3


def test_a_reader_whose_files_were_removed_looks_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.integrations import delta

    for batch in ("a", "b", "orphan"):
        TABLES.append(url, rows(batch))
    stale = delta._opened(url)
    assert TABLES.tidy(url, ["a", "b"], vacuum_hours=0).files == 1
    opened, real = [stale], delta._opened
    monkeypatch.setattr(delta, "_opened", lambda at: opened.pop() if opened else real(at))
    assert TABLES.read(url, ["a"]).num_rows == 3
    assert opened == []


def test_what_fsspec_knows_of_s3_is_said_to_delta(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "key": "K",
        "secret": "S",
        "client_kwargs": {"endpoint_url": "http://minio:9000", "region_name": "eu-west-1"},
    }
    monkeypatch.setitem(fsspec.config.conf, "s3", said)
    assert options_of("s3://bucket/versions/1/labels") == {
        "aws_access_key_id": "K",
        "aws_secret_access_key": "S",
        "aws_endpoint_url": "http://minio:9000",
        "aws_region": "eu-west-1",
        "aws_allow_http": "true",
        "aws_conditional_put": "etag",
    }
    assert options_of("file:///tmp/x") == {}

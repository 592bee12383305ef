"""Dataset versions: appended once, read for ever, by whoever was first."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings

from apps.datasets.models import DatasetVersion, VersionPolicy
from apps.datasets.versions import VersionRow, VersionUnreadable, version_rows, version_write
from apps.datasets.versions.storing import forget_remembered
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.projects.models import Project
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def row(example_id: int, label: str = "ham", **more: object) -> VersionRow:
    given = {
        "holdout": example_id % 5 == 0,
        "resolved_at": NOON,
        "annotations": (example_id * 10,),
        "source": "consensus",
    }
    return VersionRow(example_id, label, **{**given, **more})  # type: ignore[arg-type]


def written(project: Project, rows: Sequence[VersionRow]) -> DatasetVersion:
    return version_write(project_id=project.pk, rows=rows, at=NOON)


def read(version: DatasetVersion) -> list[VersionRow]:
    """From storage, not from what this process remembers."""
    forget_remembered()
    return version_rows(DatasetVersion.objects.get(pk=version.pk))


def table_folder(project: Project) -> Path:
    return Path(settings.STORAGE_URL.removeprefix("file://")) / "versions" / str(project.pk) / "labels"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    forget_remembered()
    yield
    forget_remembered()


def test_a_version_reads_back_with_every_field_of_its_lineage(project: Project) -> None:
    rows = [
        row(3, annotations=(7, 9), functions=("auto-labels 2", "spam-bert"), resolved_at=NOON + HOUR / 7),
        row(1, "späm\t1", source="imported", annotations=()),
    ]
    version = written(project, rows)
    assert read(version) == [rows[1], rows[0]]
    assert (version.number, version.rows, version.holdout_rows, version.added) == (1, 2, 0, 2)


def test_each_version_appends_the_difference_alone_and_all_read_back_exactly(project: Project) -> None:
    states = [
        [row(i) for i in range(1, 11)],
        [*(row(i) for i in range(1, 10)), row(10, "spam"), row(11)],
        [row(i) for i in range(2, 12)],
        [row(i, resolved_at=NOON + HOUR) if i == 4 else row(i) for i in range(2, 12)],
    ]
    versions = [written(project, state) for state in states]
    assert [(v.added, v.relabeled, v.removed) for v in versions] == [(10, 0, 0), (1, 1, 0), (0, 1, 1), (0, 0, 0)]
    assert [read(v) for v in versions] == states
    batches = {str(v.batch): v.number for v in versions}
    stored = wiring.tables.read(versions[0].url, batches).column("version").to_pylist()
    assert [stored.count(number) for number in (1, 2, 3, 4)] == [10, 2, 2, 1]
    assert VersionPolicy.objects.get(project=project).files == 4


def test_the_same_labels_are_the_same_version_and_append_nothing(project: Project) -> None:
    first = written(project, [row(1), row(2)])
    assert written(project, [row(2), row(1)]) == first
    assert wiring.tables.size(first.url).files == 1


def test_a_label_that_comes_back_after_it_was_withdrawn_is_added_again(project: Project) -> None:
    states = [[row(1), row(2)], [row(1)], [row(1), row(2, "spam")]]
    versions = [written(project, state) for state in states]
    assert [(v.added, v.removed) for v in versions] == [(2, 0), (0, 1), (1, 0)]
    assert [read(v) for v in versions] == states


def test_a_version_of_no_label_at_all_reads_back_empty(project: Project) -> None:
    empty = written(project, [])
    assert read(empty) == []
    written(project, [row(1)])
    gone = written(project, [])
    assert (gone.removed, read(gone)) == (1, [])


def test_versions_of_one_project_know_nothing_of_anothers(project: Project, make_project) -> None:
    other = make_project()
    mine, theirs = written(project, [row(1)]), written(other, [row(2)])
    assert (read(mine), read(theirs)) == ([row(1)], [row(2)])


def legacy(project: Project, rows: Sequence[VersionRow]) -> DatasetVersion:
    """As versions were written before there was a table."""
    names = ("example_id", "label", "holdout", "resolved_at")
    file = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [getattr(r, name) for r in rows] for name in names}), file)
    url = wiring.storage().write(f"versions/{project.pk}/old.parquet", file.getvalue().to_pybytes())
    return DatasetVersion.objects.create(
        project=project, number=1, url=url, rows=len(rows), holdout_rows=0, digest="d" * 64, created_at=NOON
    )


def test_a_version_from_before_the_table_stays_readable_and_the_next_one_tells_what_changed_since(
    project: Project,
) -> None:
    old = legacy(project, [row(1), row(2), row(3)])
    new = written(project, [row(1), row(2, "spam"), row(4)])
    assert (new.number, new.added, new.relabeled, new.removed) == (2, 1, 1, 1)
    assert [(r.example_id, r.label, r.annotations) for r in read(old)] == [
        (1, "ham", ()),
        (2, "ham", ()),
        (3, "ham", ()),
    ]
    assert read(new) == [row(1), row(2, "spam"), row(4)]
    assert read(written(project, [row(1)])) == [row(1)]


def test_an_append_whose_transaction_failed_is_read_by_nobody_and_its_number_is_given_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(project, [row(1)])
    with monkeypatch.context() as broken:
        broken.setattr(DatasetVersion.objects, "create", lambda **columns: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            written(project, [row(1, "spam"), row(2)])
    assert wiring.tables.size(first.url).files == 2, "the append was made"
    assert read(first) == [row(1)]
    second = written(project, [row(1), row(3)])
    assert (second.number, second.added, second.relabeled) == (2, 1, 0)
    assert read(second) == [row(1), row(3)]


def test_versions_read_the_same_after_files_were_merged_and_orphans_forgotten(project: Project) -> None:
    states = [[row(i) for i in range(1, n + 1)] for n in range(1, 41)]
    versions = [written(project, state) for state in states]
    url = versions[0].url
    wiring.tables.append(url, wiring.tables.read(url, [str(versions[2].batch)]).set_column(0, "batch", [["orphan"]]))
    keep = [str(v.batch) for v in versions]
    assert wiring.tables.tidy(url, keep, vacuum_hours=0).files == 1
    assert len(list(table_folder(project).glob("*.parquet"))) == 1, "replaced files are removed"
    assert wiring.tables.read(url, ["orphan"]).num_rows == 0
    assert [read(v) for v in versions] == states


def test_a_table_that_is_gone_is_said_in_words_and_the_next_version_holds_everything(project: Project) -> None:
    import shutil

    lost = written(project, [row(1), row(2)])
    shutil.rmtree(table_folder(project))
    with pytest.raises(VersionUnreadable, match=r"Data version 1 cannot be read: There is no table at .*untouched"):
        read(lost)
    forget_remembered()
    new = written(project, [row(2), row(3)])
    assert read(new) == [row(2), row(3)]
    third = written(project, [row(3)])
    assert (read(third), third.removed) == ([row(3)], 1)
    with pytest.raises(
        VersionUnreadable, match=r"damaged: its table no longer holds what was written \(0 of 2 labels\)"
    ):
        read(lost)


def test_a_damaged_table_is_refused_in_words_and_no_version_is_put_on_top(project: Project) -> None:
    first = written(project, [row(1)])
    written(project, [row(1), row(2)])
    for file in table_folder(project).glob("*.parquet"):
        file.write_bytes(b"not a Parquet file")
    with pytest.raises(VersionUnreadable, match=r"Data version 1 cannot be read: The table at"):
        read(first)
    forget_remembered()
    with pytest.raises(Unavailable, match="Data version 2 cannot be read"):
        written(project, [row(1), row(2), row(3)])
    assert DatasetVersion.objects.filter(project=project).count() == 2


def test_a_damaged_log_is_refused_in_words(project: Project) -> None:
    version = written(project, [row(1)])
    for file in (table_folder(project) / "_delta_log").glob("*.json"):
        file.write_text("{ half a line")
    with pytest.raises(VersionUnreadable, match="The table at"):
        read(version)


def test_rows_that_somebody_changed_in_the_table_are_noticed(project: Project) -> None:
    from deltalake import DeltaTable

    version = written(project, [row(1), row(2)])
    DeltaTable(str(table_folder(project))).update(predicate="example_id = 2", updates={"label": "'eggs'"})
    with pytest.raises(VersionUnreadable, match="damaged"):
        read(version)


def test_a_full_disk_makes_no_version(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deltalake.write_deltalake", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        written(project, [row(1)])
    assert not DatasetVersion.objects.exists()


def test_what_a_process_remembers_is_bounded_and_spares_the_table(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.datasets.versions import storing

    versions = [written(project, [row(i) for i in range(1, n)]) for n in range(2, 9)]
    assert len(storing._remembered) == storing.REMEMBERED
    monkeypatch.setattr(wiring, "tables", None)
    assert version_rows(versions[-1]) == [row(i) for i in range(1, 8)]

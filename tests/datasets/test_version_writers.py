"""Writers of versions who meet: both end with a number, nothing is lost and nothing is there twice."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from apps.datasets.models import DatasetVersion, VersionPolicy
from apps.datasets.versions import VersionRow, version_write
from apps.datasets.versions.keeping import _files_tidy
from apps.integrations import wiring
from apps.projects.models import Project
from tests.conftest import NOON
from tests.datasets.test_versions import read, row

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 12


def at_once(*acts: Callable[[], None]) -> list[BaseException]:
    """Each in a thread with its own connection, started together; what they raised."""
    together, raised = threading.Barrier(len(acts)), []

    def run(act: Callable[[], None]) -> None:
        together.wait()
        try:
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_two_who_write_at_once_end_with_two_numbers_and_each_reads_its_own(project: Project) -> None:
    written: dict[int, list[VersionRow]] = {}

    def writing(rows: list[VersionRow]) -> Callable[[], None]:
        def act() -> None:
            written[version_write(project_id=project.pk, rows=rows, at=NOON).pk] = rows

        return act

    for turn in range(ROUNDS):
        mine = [row(i, "ham") for i in range(1, 20 + turn)]
        theirs = [row(i, "spam") for i in range(10, 40 + turn)]
        assert at_once(writing(mine), writing(theirs)) == []
    versions = list(DatasetVersion.objects.order_by("number"))
    assert [v.number for v in versions] == list(range(1, 2 * ROUNDS + 1))
    for version in versions:
        assert read(version) == written[version.pk]


def test_two_who_write_the_same_labels_at_once_share_one_version(project: Project) -> None:
    for turn in range(ROUNDS):
        rows = [row(i) for i in range(1, 3 + turn)]
        both: list[DatasetVersion] = []

        def act(rows: list[VersionRow] = rows, both: list[DatasetVersion] = both) -> None:
            both.append(version_write(project_id=project.pk, rows=rows, at=NOON))

        assert at_once(act, act) == []
        assert both[0] == both[1]
    assert DatasetVersion.objects.count() == ROUNDS
    assert wiring.tables.size(both[0].url).files == ROUNDS


def test_files_are_removed_while_others_write_and_read_and_nobody_misses_a_row(project: Project) -> None:
    """With no hour of grace: an append that has no name yet must not be taken for an orphan."""
    first = version_write(project_id=project.pk, rows=[row(1)], at=NOON)
    VersionPolicy.objects.filter(project=project).update(vacuum_hours=0)
    states = {first.pk: [row(1)]}

    def writing(rows: list[VersionRow]) -> Callable[[], None]:
        def act() -> None:
            states[version_write(project_id=project.pk, rows=rows, at=NOON).pk] = rows

        return act

    def tidying() -> None:
        _files_tidy(project, NOON)

    def reading() -> None:
        assert read(first) == [row(1)]

    for turn in range(ROUNDS):
        assert at_once(writing([row(i) for i in range(1, 4 + turn)]), tidying, reading) == []
    assert len(states) == ROUNDS + 1
    for version in DatasetVersion.objects.all():
        assert read(version) == states[version.pk]

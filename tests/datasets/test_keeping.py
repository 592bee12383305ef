"""What the policy lets go, and that everything else reads as before."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.audit.models import Event
from apps.datasets.models import DatasetVersion, VersionPolicy
from apps.datasets.versions import VersionUnreadable, version_write
from apps.datasets.versions.keeping import policy_set, versions_tidy
from apps.datasets.versions.storing import forget_remembered
from apps.errors import Invalid
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.loop.services.versions import versions_keep
from apps.projects.models import Project
from apps.training.models import Run, Sweep
from tests import rows as made
from tests.conftest import NOON
from tests.datasets.test_versions import legacy, read, row, table_folder

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
STATES = [
    [row(1), row(2), row(3)],
    [row(1), row(2, "spam"), row(4)],
    [row(1), row(2, "spam"), row(3), row(4)],
    [row(2), row(3), row(4)],
    [row(2), row(3), row(4), row(5)],
]


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    forget_remembered()
    yield
    forget_remembered()


@pytest.fixture
def versions(project: Project) -> list[DatasetVersion]:
    """Five, a day apart, and a process that remembers none of them."""
    found = [version_write(project_id=project.pk, rows=s, at=NOON + i * DAY) for i, s in enumerate(STATES)]
    forget_remembered()
    return found


def kept_for(project: Project, lin: User, days: int | None, *, vacuum_hours: int = 0) -> None:
    policy_set(project=project, keep_days=days, vacuum_hours=vacuum_hours, by=lin, at=NOON)


def dropped(versions: list[DatasetVersion]) -> list[int]:
    return sorted(
        v.number for v in DatasetVersion.objects.filter(pk__in=[v.pk for v in versions]).exclude(dropped_at=None)
    )


@pytest.mark.parametrize("pinned", [(), (0,), (1,), (2,), (0, 2), (1, 3)])
def test_whatever_is_let_go_the_rest_reads_exactly(
    project: Project, lin: User, versions: list[DatasetVersion], pinned: tuple[int, ...]
) -> None:
    kept_for(project, lin, 1)
    versions_tidy(project=project, pinned={versions[i].pk for i in pinned}, at=NOON + 60 * DAY)
    kept = {*pinned, 4}
    assert dropped(versions) == [i + 1 for i in range(5) if i not in kept]
    for i in kept:
        assert read(versions[i]) == STATES[i]
    for i in set(range(5)) - kept:
        with pytest.raises(
            VersionUnreadable, match=f"Data version {i + 1} was dropped on 1 Jan 2027 by the project’s policy"
        ):
            read(versions[i])
    assert len(list(table_folder(project).glob("*.parquet"))) == 1


def test_the_changes_of_what_was_let_go_are_gone_from_the_table(
    project: Project, lin: User, versions: list[DatasetVersion]
) -> None:
    kept_for(project, lin, 1)
    versions_tidy(project=project, pinned=(), at=NOON + 60 * DAY)
    newest = DatasetVersion.objects.get(number=5)
    everything = [str(v.batch) for v in versions] + [str(newest.batch)]
    assert set(wiring.tables.read(newest.url, everything).column("example_id").to_pylist()) == {2, 3, 4, 5}
    event = Event.objects.get(verb="versions.dropped")
    assert event.sentence == "4 data versions older than 1 day can no longer be read: 1, 2, 3, 4."


def test_only_what_is_older_than_the_policy_says_goes(
    project: Project, lin: User, versions: list[DatasetVersion]
) -> None:
    kept_for(project, lin, 3)
    versions_tidy(project=project, pinned=(), at=NOON + 5 * DAY)
    assert dropped(versions) == [1, 2]


def test_without_a_policy_every_version_stays(project: Project, versions: list[DatasetVersion]) -> None:
    versions_keep(at=NOON + 10_000 * DAY)
    assert dropped(versions) == []
    assert [read(v) for v in versions] == STATES


def test_models_open_runs_runs_being_judged_and_sweeps_keep_their_versions(
    project: Project, lin: User, versions: list[DatasetVersion]
) -> None:
    made.labeled(project)
    model = made.model(project)
    Run.objects.filter(pk=model.run_id).update(dataset_version=versions[0])
    unjudged = made.trained(project, at=NOON + DAY)
    Run.objects.filter(pk=unjudged.pk).update(dataset_version=versions[1])
    Sweep.objects.create(
        project=project,
        number=1,
        study_name="s",
        dataset_version=versions[2],
        space={},
        trials_wanted=1,
        started_at=NOON,
    )
    failed = made.started(project)
    Run.objects.filter(pk=failed.pk).update(dataset_version=versions[3], state="failed")
    kept_for(project, lin, 1)
    versions_keep(at=NOON + 60 * DAY)
    assert set(dropped(versions)) & {1, 2, 3} == set()
    assert 4 in dropped(versions)
    assert [read(v) for v in versions[:3]] == STATES[:3]


def test_a_crash_between_letting_go_and_forgetting_loses_nothing_that_is_kept(
    project: Project, lin: User, versions: list[DatasetVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    kept_for(project, lin, 1)
    with monkeypatch.context() as crash:
        crash.setattr(wiring.tables, "tidy", killed)
        with pytest.raises(KeyboardInterrupt):
            versions_tidy(project=project, pinned={versions[1].pk}, at=NOON + 60 * DAY)
    assert (read(versions[1]), read(versions[4])) == (STATES[1], STATES[4])
    versions_tidy(project=project, pinned={versions[1].pk}, at=NOON + 61 * DAY)
    assert (read(versions[1]), read(versions[4])) == (STATES[1], STATES[4])


def test_a_failed_fold_lets_nothing_go(
    project: Project, lin: User, versions: list[DatasetVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise Unavailable("No space left on device")

    kept_for(project, lin, 1)
    with monkeypatch.context() as disk:
        disk.setattr(wiring.tables, "append", full)
        assert versions_keep(at=NOON + 60 * DAY) == []
    assert dropped(versions) == []
    assert [read(v) for v in versions] == STATES


def test_a_parquet_version_that_is_let_go_loses_its_file_and_the_table_stays(project: Project, lin: User) -> None:
    old = legacy(project, [row(1), row(2)])
    new = version_write(project_id=project.pk, rows=[row(2)], at=NOON)
    kept_for(project, lin, 1)
    versions_tidy(project=project, pinned=(), at=NOON + 60 * DAY)
    with pytest.raises(Unavailable):
        wiring.storage().read(old.url)
    assert read(new) == [row(2)]


def test_a_version_written_after_others_were_let_go_builds_on_the_newest(
    project: Project, lin: User, versions: list[DatasetVersion]
) -> None:
    kept_for(project, lin, 1)
    versions_tidy(project=project, pinned=(), at=NOON + 60 * DAY)
    next_one = version_write(project_id=project.pk, rows=[row(2), row(3, "spam")], at=NOON + 61 * DAY)
    assert (next_one.relabeled, next_one.removed, read(next_one)) == (1, 2, [row(2), row(3, "spam")])


def test_files_are_tidied_once_an_hour(project: Project, versions: list[DatasetVersion]) -> None:
    def kept_at() -> datetime | None:
        return VersionPolicy.objects.get(project=project).kept_at

    for after, expected in ((0, 0), (30, 0), (60, 60)):
        versions_keep(at=NOON + timedelta(minutes=after))
        assert kept_at() == NOON + timedelta(minutes=expected)


OUTSIDE = [(0, 1, "keep_days"), (36_501, 1, "keep_days"), (1, -1, "vacuum_hours"), (1, 8_761, "vacuum_hours")]


@pytest.mark.parametrize(("days", "hours", "field"), OUTSIDE)
def test_a_policy_out_of_bounds_is_refused_and_changes_nothing(
    project: Project, lin: User, days: int, hours: int, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        policy_set(project=project, keep_days=days, vacuum_hours=hours, by=lin, at=NOON)
    assert refused.value.details["field"] == field
    assert not VersionPolicy.objects.filter(project=project).exists()


def test_a_change_of_policy_is_in_the_audit_trail_and_the_same_policy_is_not(project: Project, lin: User) -> None:
    for _ in range(2):
        kept_for(project, lin, 30, vacuum_hours=24)
    event = Event.objects.get(verb="versions.policy")
    assert event.sentence == "Lin keeps data versions for 30 days; replaced files go after 24 hours."

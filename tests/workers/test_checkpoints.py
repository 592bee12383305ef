"""A run that is killed, whose checkpoints are damaged, whose disk is full: on real digits, real PostgreSQL."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import safetensors.torch
from django.conf import settings
from django.utils import timezone
from torch import Tensor

from apps.accounts.models import User
from apps.integrations import wiring
from apps.integrations.fsspec_storage import FsspecStorage
from apps.integrations.ports import Unavailable
from apps.loop import services as loop
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.selectors import champion_of
from apps.releases.services import model_promote
from apps.training.models import Run, RunState
from apps.training.services import ownership
from apps.training.services.runs import run_start
from apps.work.names import Job
from tests.workers.at_once import JobsAtOnce
from workers.tasks import relay
from workers.tasks.train import train

pytestmark = pytest.mark.django_db(transaction=True)
SHORT = {"epochs": 3, "least_steps": 0, "checkpoint_every_s": 0.0, "report_every_s": 0.0}
Start = Callable[..., Run]


class Killed(BaseException):
    """What no `except Exception` can catch, as a signal that kills the process."""


@pytest.fixture
def queued(digits: Project, lin: User, jobs: JobsAtOnce) -> Callable[[], Run]:
    """A short run that no worker has taken; it keeps a checkpoint after every step."""

    def made() -> Run:
        jobs.held.add(Job.TRAIN)
        return run_start(
            project=digits,
            kind="full",
            trigger="Lin asked for it.",
            base_run=None,
            by=lin,
            at=timezone.now(),
            recipe=dict(SHORT),
        )

    return made


def killed_after(checkpoints: int, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes the run and dies once it has kept so many checkpoints; then its lease ends."""
    kept = 0

    def die(run: Run, blob: bytes) -> None:
        nonlocal kept
        relay_keep(run, blob)
        kept += 1
        if kept == checkpoints:
            raise Killed

    relay_keep = relay.checkpoint_keep
    with monkeypatch.context() as patch:
        patch.setattr(relay, "checkpoint_keep", die)
        with pytest.raises(Killed):
            train(run.pk)
    Run.objects.filter(pk=run.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
    run.refresh_from_db()


def weights_of(run: Run) -> dict[str, Tensor]:
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED, run.error
    return safetensors.torch.load(wiring.storage().read(run.artifact_url))


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(value.equal(other[name]) for name, value in one.items())


def damage(url: str) -> None:
    path = Path(url.removeprefix("file://"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_killed_workers_run_ends_with_the_weights_of_an_unbroken_one(
    queued: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = queued()
    train(unbroken.pk)
    broken = queued()
    killed_after(5, broken, monkeypatch)
    assert (broken.state, broken.attempts) == (RunState.RUNNING, 1)
    train(broken.pk)
    assert same(weights_of(unbroken), weights_of(broken))
    assert broken.attempts == 2
    steps = list(broken.points.order_by("id").values_list("step", flat=True))
    assert steps[:6] == [1, 2, 3, 4, 5, 6]  # the second worker went on, it did not begin anew
    assert len(set(steps)) == len(steps)


def test_a_damaged_checkpoint_falls_back_to_the_one_before_with_the_same_weights(
    queued: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = queued()
    train(unbroken.pk)
    broken = queued()
    killed_after(5, broken, monkeypatch)
    damage(broken.checkpoint_url)
    train(broken.pk)
    assert same(weights_of(unbroken), weights_of(broken))
    said = broken.lines.filter(text__startswith="going back one checkpoint: The checkpoint is damaged.")
    assert said.count() == 1
    assert not broken.lines.filter(text__startswith="starting again").exists()


def test_with_both_checkpoints_gone_the_run_starts_again_and_says_so_twice(
    queued: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued()
    killed_after(3, run, monkeypatch)
    damage(run.checkpoint_url)
    wiring.storage().remove(run.earlier_checkpoint_url)
    train(run.pk)
    weights_of(run)
    assert run.lines.filter(text__startswith="going back one checkpoint").count() == 1
    assert run.lines.filter(text__startswith="starting again").count() == 1


def test_the_newest_two_checkpoints_are_kept_and_none_of_a_completed_run(
    queued: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued()
    folder = Path(settings.STORAGE_URL.removeprefix("file://")) / "checkpoints" / str(run.project_id)
    killed_after(4, run, monkeypatch)
    kept = {str(path) for path in folder.glob(f"{run.pk}-*")}
    assert kept == {url.removeprefix("file://") for url in (run.checkpoint_url, run.earlier_checkpoint_url)}
    assert len(kept) == 2
    train(run.pk)
    run.refresh_from_db()
    assert (run.checkpoint_url, run.earlier_checkpoint_url) == ("", "")
    assert not list(folder.glob(f"{run.pk}-*"))


class FullDisk(FsspecStorage):
    """A disk that takes no checkpoint any more, by the one device of Linux that is always full."""

    def write(self, name: str, content: bytes) -> str:
        if not name.startswith("checkpoints/"):
            return super().write(name, content)
        try:
            with open("/dev/full", "wb") as file:
                file.write(content)
        except OSError as cause:
            raise Unavailable(f"{name} could not be written: {cause}") from cause
        raise AssertionError("a full disk took a checkpoint")


class AwayForCheckpoints(FsspecStorage):
    def write(self, name: str, content: bytes) -> str:
        if name.startswith("checkpoints/"):
            raise Unavailable("the store does not answer") from ConnectionResetError()
        return super().write(name, content)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_disk_that_is_full_fails_the_run_in_words_and_the_champion_stays(
    digits: Project, lin: User, queued: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = loop.run_start_now(project=digits, kind="full", by=lin, at=timezone.now())
    champion = ModelVersion.objects.get(run=first)
    model_promote(version=champion, reason="It is the first model of these tests.", by=lin, at=timezone.now())
    run = queued()
    monkeypatch.setattr(wiring, "storage", FullDisk)
    train(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error.startswith("The disk is full: the checkpoint after step 1 could not be written. Free ")
    assert run.traceback == ""
    assert (run.checkpoint_url, run.artifact_url) == ("", "")
    assert champion_of(digits) == champion
    assert ModelVersion.objects.filter(project=digits).count() == 1


def test_a_store_that_is_away_costs_checkpoints_and_not_the_run(
    queued: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued()
    monkeypatch.setattr(wiring, "storage", AwayForCheckpoints)
    train(run.pk)
    weights_of(run)
    assert run.lines.filter(text="going on without this checkpoint: the store does not answer").exists()


def test_a_run_binds_its_code_and_packages_and_counts_its_device_seconds(queued: Callable[[], Run]) -> None:
    run = queued()
    Run.objects.filter(pk=run.pk).update(code_version="the code of the web server")
    train(run.pk)
    run.refresh_from_db()
    assert run.code_version == settings.CODE_VERSION
    assert {"torch", "numpy", "python"} <= set(run.packages)
    assert run.started_at is not None
    assert run.finished_at is not None
    took = (run.finished_at - run.started_at).total_seconds()
    assert (run.devices, run.device_s) == (1, pytest.approx(took, abs=0.05))


def test_an_attempt_that_died_costs_its_device_seconds_too(queued: Callable[[], Run]) -> None:
    run, at = queued(), timezone.now()
    first = ownership.run_claim(run_id=run.pk, at=at)
    Run.objects.filter(pk=run.pk).update(devices=2)
    assert first.owner is not None
    for beat in (3, 6, 9):
        ownership.run_heartbeat(run_id=run.pk, owner=first.owner, at=at + timedelta(seconds=beat))
    second = ownership.run_claim(run_id=run.pk, at=at + timedelta(seconds=60))  # the first died after its third beat
    assert second.owner is not None
    ownership.run_fail(run_id=run.pk, owner=second.owner, sentence="It was asked to.", at=at + timedelta(seconds=64))
    run.refresh_from_db()
    assert run.device_s == pytest.approx(2 * (9 + 4))


def test_a_report_keeps_learning_rate_speed_and_how_busy_the_device_is(queued: Callable[[], Run]) -> None:
    run = queued()
    train(run.pk)
    for point in run.points.all():
        assert point.learning_rate > 0
        assert point.samples_per_s > 0
        assert 0 <= point.device_percent <= 100
        assert point.memory_mb > 100
    run.refresh_from_db()
    assert run.device.startswith("CPU, ")

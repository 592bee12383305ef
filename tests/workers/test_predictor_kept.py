"""Database or storage away: the last known release keeps serving, also after a restart, and only what is whole is read."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import OperationalError
from kserve.model_repository import ModelRepository

from apps.releases.selectors import ServedModel
from tests.workers.test_predictor import Shelf, watching
from tests.workers.test_predictor_arms import ROUTE
from workers.predictor import kept, watch

LOANS_V3 = ServedModel(1, "loans", "tabular-classification", 3, "file:///a", 11, True, ROUTE)


class World:
    """A database and a storage that can be taken away."""

    def __init__(self) -> None:
        self.served, self.database, self.storage, self.reads = [LOANS_V3], True, True, list[str]()
        self.confirmed, self.said = list[int](), list[object]()

    def look_up(self) -> list[ServedModel]:
        if not self.database:
            raise OperationalError("connection refused")
        return list(self.served)

    def read(self, url: str) -> bytes:
        self.reads.append(url)
        if not self.storage:
            raise OSError("no route to host")
        return b"half a file" if url == "file:///broken" else Shelf().read(url)


@pytest.fixture
def world(monkeypatch) -> World:
    world = World()
    monkeypatch.setattr(watch, "served", world.look_up)
    monkeypatch.setattr(kept.wiring, "storage", lambda: world)
    monkeypatch.setattr(watch, "close_old_connections", lambda: None)
    monkeypatch.setattr(watch, "replica_seen", lambda **said: world.said.append(said["state"]))
    monkeypatch.setattr(watch, "replicas_serve", lambda **said: True)
    monkeypatch.setattr(watch, "serving_confirmed", lambda **said: world.confirmed.append(said["promotion_id"]))
    return world


def started(folder: Path) -> tuple[watch.Watcher, ModelRepository]:
    repository = ModelRepository()
    watcher = watching(repository, folder)
    watcher.look()
    return watcher, repository


def serving(repository: ModelRepository) -> tuple[int, int | None, float | None] | None:
    model = repository.get_model("loans")
    if model is None:
        return None
    arms = model.serving
    return arms.champion.version, arms.canary and arms.canary.version, arms.route and arms.route.weight


def test_without_the_database_a_restarted_predictor_serves_what_it_kept(world, tmp_path):
    assert serving(started(tmp_path)[1]) == (3, 4, 30.0)
    world.database = world.storage = False
    watcher, repository = started(tmp_path)
    assert serving(repository) == (3, 4, 30.0) and world.confirmed == []
    world.database = world.storage = True
    world.served = [
        replace(LOANS_V3, version_number=5, artifact_url="file:///c", promotion_id=12, confirmed=False, route=None)
    ]
    watcher.look()
    assert serving(repository) == (5, None, None) and world.confirmed == [12]


def test_what_is_loaded_goes_on_while_the_database_is_away(world, tmp_path):
    watcher, repository = started(tmp_path)
    model = repository.get_model("loans")
    world.database = False
    watcher.look()
    assert repository.get_model("loans") is model and serving(repository) == (3, 4, 30.0)


def test_a_copy_that_is_not_what_was_kept_is_not_read(world, tmp_path):
    started(tmp_path)
    for file in tmp_path.iterdir():
        if file.name != kept.MANIFEST:
            file.write_bytes(file.read_bytes()[:-1] + b"x")
    world.database = world.storage = False
    assert serving(started(tmp_path)[1]) is None


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b'{"instance": "x"}', b'{"served": 5}'])
def test_a_manifest_that_is_none_starts_a_predictor_that_waits_for_its_database(world, tmp_path, manifest):
    started(tmp_path)
    (tmp_path / kept.MANIFEST).write_bytes(manifest)
    world.database = False
    assert serving(started(tmp_path)[1]) is None


def test_another_consoles_release_is_not_served(world, tmp_path, settings):
    started(tmp_path)
    settings.INSTANCE_ID = "another"
    world.database = False
    assert serving(started(tmp_path)[1]) is None


def test_what_no_release_needs_is_removed_and_a_killed_write_leaves_the_manifest_whole(world, tmp_path):
    watcher, _ = started(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2, "both arms are one content here"
    (tmp_path / ".half-killed").write_bytes(b"{")
    (tmp_path / ("0" * 64)).write_bytes(b"an old model")
    world.served = [replace(LOANS_V3, route=None)]
    watcher.look()
    manifest = json.loads((tmp_path / kept.MANIFEST).read_bytes())
    assert [one["route"] for one in manifest["served"]] == [None] and list(manifest["artifacts"]) == ["file:///a"]
    assert {file.name for file in tmp_path.iterdir()} == {kept.MANIFEST, *manifest["artifacts"].values()}


def test_a_file_that_does_not_load_is_read_ever_more_rarely_and_said(world, tmp_path, monkeypatch, caplog):
    now = [1000.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    world.served = [replace(LOANS_V3, route=replace(ROUTE, artifact_url="file:///broken"))]
    watcher, repository = started(tmp_path)
    for _ in range(400):  # 100 s of looks
        now[0] += 0.25
        watcher.look()
    assert serving(repository) == (3, None, None)
    assert world.reads.count("file:///broken") == 7, "after 0, 1, 3, 7, 15, 31 and 63 s"
    assert caplog.text.count("v4 of loans does not load") == 1
    broken = world.said[-1].broken["loans"]
    assert broken["version"] == 4 and broken["reason"]


def test_a_roll_back_reads_no_file(world, tmp_path):
    watcher, repository = started(tmp_path)
    world.served = [replace(LOANS_V3, version_number=5, artifact_url="file:///c", route=None)]
    watcher.look()
    world.storage, read = False, len(world.reads)
    world.served = [replace(LOANS_V3, route=None)]
    watcher.look()
    assert serving(repository) == (3, None, None) and len(world.reads) == read


def test_a_model_file_is_served_alone_where_there_is_exactly_one(tmp_path):
    from workers.predictor.alone import model_in

    (tmp_path / "m.safetensors").write_bytes(Shelf().read("file:///a"))
    model = model_in(tmp_path, "loans")
    assert (model.name, model.serving.champion.version, model.ready) == ("loans", 1, True)
    (tmp_path / "n.safetensors").write_bytes(b"half a file")
    with pytest.raises(SystemExit, match="holds 2 model files"):
        model_in(tmp_path, "loans")
    with pytest.raises(SystemExit, match=r"n\.safetensors does not load: "):
        model_in(tmp_path / "n.safetensors", "loans")


def test_a_database_that_says_nothing_is_not_waited_for(world, tmp_path, monkeypatch):
    started(tmp_path)
    held = threading.Event()
    monkeypatch.setattr(watch, "FIRST_LOOK_S", 0.05)
    monkeypatch.setattr(watch, "served", lambda: held.wait(20) and list(world.served))
    repository = ModelRepository()
    watcher = watching(repository, tmp_path)
    watcher.start()
    assert serving(repository) == (3, 4, 30.0) and not held.is_set()
    held.set()
    watcher.close()

"""Runs, metrics, models and aliases on a real `mlflow server`, started here."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.integrations import wiring
from apps.lineage.mirror import mirror_all
from apps.projects.models import Project
from apps.releases.models import Mirrored
from apps.releases.services import model_promote
from apps.training.models import Run, RunState
from fastloop_console.machine.ports import free_ports
from tests.conftest import NOON
from tests.rows import labeled, model, started, trained

pytestmark = [pytest.mark.live, pytest.mark.django_db]
WITHIN_S = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("mlflow.server", reason="mlflow's server is not installed; mlflow-skinny is the client alone")
    folder: Path = tmp_path_factory.mktemp("mlflow")
    (port,) = free_ports(1)
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
        "--backend-store-uri",
        f"sqlite:///{folder / 'tracking.db'}",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process, folder / "server.log")
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + WITHIN_S
    while time.monotonic() < ends:
        if process.poll() is not None:
            pytest.fail(f"The server ended: {log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{address}/health", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    pytest.fail(f"The server did not answer within {WITHIN_S} s.")


@pytest.fixture
def client(server: str, settings: Any) -> Any:
    from mlflow import MlflowClient

    settings.MLFLOW_TRACKING_URI = server
    return MlflowClient(tracking_uri=server, registry_uri=server)


def kept(run: Run, content: bytes = b"weights") -> Run:
    """With a model file that can be read."""
    url = wiring.storage().write(f"models/{run.project_id}/{run.pk}.safetensors", content)
    Run.objects.filter(pk=run.pk).update(artifact_url=url)
    run.refresh_from_db()
    return run


def test_a_run_its_metrics_its_model_and_its_alias_reach_the_server(
    client: Any, as_: Callable[[User], Client], project: Project, lin: User
) -> None:
    labeled(project)
    version = model(project)
    kept(version.run)
    model_promote(version=version, reason="", by=lin, at=NOON)
    assert mirror_all(at=timezone.now()) == 1

    row = Mirrored.objects.get()
    found = client.get_run(row.tracking_run)
    assert found.info.status == "FINISHED" and found.info.run_name == "run 1"
    assert found.data.params["epochs"] == "20" and found.data.tags["fastloop.kind"] == "full"
    assert found.data.metrics["verdict_accuracy"] == pytest.approx(0.9)
    curve = client.get_metric_history(row.tracking_run, "holdout_accuracy")
    assert [m.step for m in curve] == [33, 66, 100]
    registered = client.get_model_version_by_alias(project.slug, "champion")
    assert registered.run_id == row.tracking_run and registered.version == row.registry_version
    local = client.download_artifacts(row.tracking_run, f"model/{project.slug}-v1.safetensors")
    assert Path(local).read_bytes() == b"weights"
    assert mirror_all(at=timezone.now()) == 0  # nothing is written twice
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, version.run_id]))
    assert f"In MLflow as {row.tracking_run}, version {row.registry_version}" in page.text


def test_an_alias_moves_when_another_model_is_promoted(client: Any, project: Project, lin: User) -> None:
    labeled(project)
    first = model(project)
    kept(first.run)
    model_promote(version=first, reason="", by=lin, at=NOON)
    mirror_all(at=timezone.now())
    second = model(project, at=NOON + timedelta(hours=1))
    kept(second.run, b"others")
    model_promote(version=second, reason="", by=lin, at=timezone.now() + timedelta(seconds=1))
    mirror_all(at=timezone.now() + timedelta(seconds=2))
    crowned = client.get_model_version_by_alias(project.slug, "champion")
    assert crowned.tags["fastloop.version"] == "v2"
    assert mirror_all(at=timezone.now() + timedelta(seconds=3)) == 0


def test_a_run_is_shown_while_it_trains_and_points_come_once(client: Any, project: Project) -> None:
    from apps.training.services import ownership, reporting
    from tests.rows import progress

    labeled(project)
    run = ownership.run_claim(run_id=started(project).pk, at=NOON)
    assert run.owner is not None
    for step in (10, 20):
        reporting.run_report(run_id=run.pk, owner=run.owner, report=progress(step), at=NOON)
        assert mirror_all(at=timezone.now()) == 1
    row = Mirrored.objects.get()
    assert client.get_run(row.tracking_run).info.status == "RUNNING"
    assert [m.step for m in client.get_metric_history(row.tracking_run, "train_loss")] == [10, 20]
    ownership.run_fail(run_id=run.pk, owner=run.owner, sentence="There was nothing to learn.", at=NOON)
    assert mirror_all(at=timezone.now()) == 1
    ended = client.get_run(row.tracking_run)
    assert (ended.info.status, ended.data.tags["fastloop.error"]) == ("FAILED", "There was nothing to learn.")


def test_a_run_that_the_server_knows_is_not_made_again_when_our_row_was_lost(client: Any, project: Project) -> None:
    labeled(project)
    trained(project)
    mirror_all(at=timezone.now())
    known = Mirrored.objects.get().tracking_run
    Mirrored.objects.all().delete()
    assert mirror_all(at=timezone.now()) == 1
    assert Mirrored.objects.get().tracking_run == known


def test_a_server_that_is_away_costs_a_later_try_and_nothing_else(project: Project, settings: Any) -> None:
    settings.MLFLOW_TRACKING_URI = "http://127.0.0.1:1"
    labeled(project)
    run = trained(project)
    at = timezone.now()
    assert mirror_all(at=at) == 0
    row = Mirrored.objects.get()
    assert row.attempts == 1 and row.retry_at is not None and row.retry_at > at
    assert "MLflow at http://127.0.0.1:1 did not take run" in row.error
    assert mirror_all(at=at + timedelta(seconds=1)) == 0
    row.refresh_from_db()
    assert row.attempts == 1
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED


def test_without_an_address_nothing_is_mirrored(project: Project, settings: Any) -> None:
    settings.MLFLOW_TRACKING_URI = ""
    labeled(project)
    trained(project)
    assert mirror_all(at=timezone.now()) == 0
    assert not Mirrored.objects.exists()

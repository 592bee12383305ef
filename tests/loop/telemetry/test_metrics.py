"""`/metrics` of the console: the loop's figures by the names that the dashboard draws, for whoever has the key."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from apps.accounts.models import User
from apps.loop.telemetry.series import Series, exposition, series_of_the_loop
from apps.monitoring.models import Alert
from apps.projects.models import Project
from apps.slas.models import Lap, Stage
from fastloop_console.machine.env import ROOT
from tests.conftest import NOON

NAMES = {
    "fastloop_stage_duration_seconds",
    "fastloop_data_to_deploy_seconds",
    "fastloop_sla_breach_total",
    "fastloop_canary_weight",
    "fastloop_drift_alarm_total",
    "fastloop_label_delay_seconds",
    "fastloop_train_queue_depth",
}
BOARD: dict[str, Any] = json.loads((ROOT / "docker/grafana/console.json").read_text())


def closed(project: Project, number: int, hours: float) -> Lap:
    lap = Lap.objects.create(
        project=project, number=number, promotion_id=10 * project.pk + number, model_number=number, closed_at=NOON, labels=9,
        median_s=1800, p90_s=3600 * hours, longest_s=3600 * hours, waiting_share=0.5, target_s=3600 * 2, breached=hours > 2,
    )  # fmt: skip
    for place, stage in enumerate(Stage):
        lap.stages.create(stage=stage, position=place, wait_s=60, work_s=40, median_wait_s=20, median_work_s=10)
    return lap


def read(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


@pytest.fixture
def text(make_project: Callable[..., Project]) -> str:
    project, _ = make_project(name="Mail"), make_project(name="Quiet")
    closed(project, 1, 3)
    closed(project, 2, 1)
    for kind, resolved in (("drift", NOON), ("drift", None), ("loss", None)):
        Alert.objects.create(
            project=project, kind=kind, title="x", detail="x", opened_at=NOON, last_seen_at=NOON, resolved_at=resolved
        )
    return asked().content.decode()


def asked(key: str | None = None) -> Any:
    said = f"Bearer {settings.PREDICTOR_KEY if key is None else key}"
    return Client().get("/metrics", headers={"authorization": said})


def test_the_newest_lap_and_counts_since_ever(text: str) -> None:
    found, mail = read(text), ("project", "mail")
    assert set(found) == NAMES
    assert found["fastloop_data_to_deploy_seconds"] == {(mail,): 3600}
    assert found["fastloop_stage_duration_seconds"][mail, ("stage", "train")] == 100
    assert found["fastloop_label_delay_seconds"] == {(mail,): 30}
    assert found["fastloop_sla_breach_total"] == {(mail,): 1, (("project", "quiet"),): 0}
    assert found["fastloop_drift_alarm_total"] == {(("cause", "drift"), mail): 2, (("cause", "loss"), mail): 1}
    assert found["fastloop_canary_weight"] == {(mail,): 0, (("project", "quiet"),): 0}


def test_projects_in_the_archive_are_not_told(text: str) -> None:
    Project.objects.update(archived_at=NOON + timedelta(days=1))
    assert set(read(asked().content.decode())) == set()


def test_only_the_key_opens_it(db: None, as_: Callable[[User], Client], alma: User) -> None:
    for key in ("", "wrong", settings.PREDICTOR_KEY + "x", "é"):
        answer = asked(key)
        assert answer.status_code == 401 and "predictor_key" in answer.content.decode(), key
    assert Client().get("/metrics").status_code == 401
    assert as_(alma).get("/metrics").status_code == 401, "a person of the console is nobody here"
    assert Client().post("/metrics").status_code in (403, 405)


def test_it_costs_as_much_for_five_projects_as_for_one(make_project: Callable[..., Project]) -> None:
    costs = []
    for n in range(5):
        closed(make_project(name=f"P{n}"), 1, 1)
        with CaptureQueriesContext(connection) as queries:
            series_of_the_loop()
        costs.append(len(queries))
        assert not [q["sql"] for q in queries if "monitoring_prediction" in q["sql"]]
    assert set(costs) == {7}


def test_what_a_label_holds_is_escaped() -> None:
    series = Series("fastloop_x", "gauge", "X", [((("project", 'a"b\\c\nd'),), 1.5)])
    assert read(exposition([series]))["fastloop_x"] == {(("project", 'a"b\\c\nd'),): 1.5}


# The dashboard


def expressions() -> list[str]:
    drawn = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return drawn + [each["query"] for each in BOARD["templating"]["list"] if each["type"] == "query"]


def test_the_dashboard_draws_every_figure_and_no_other() -> None:
    assert set(re.findall(r"\bfastloop_\w+", " ".join(expressions()))) == NAMES
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"]) >= 7


def test_prometheus_asks_the_console_too() -> None:
    jobs = yaml.safe_load((ROOT / "docker/grafana/prometheus.yml").read_text())["scrape_configs"]
    console = next(job for job in jobs if job["job_name"] == "fastloop-console")
    assert console["authorization"]["credentials_file"] and console["static_configs"][0]["targets"]

"""What both arms did is counted in one pass, also for a rollout that the database's statistics know nothing of yet."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from apps.monitoring.arms import ARMS, FED, FED_OR_NOT, SLOW
from apps.monitoring.log.services import LoggedPrediction, predictions_record
from apps.projects.models import Project
from apps.rules.rollouts.arms import Arm
from tests.conftest import NOON


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def test_the_log_is_not_read_again_for_each_of_its_rows(project: Project) -> None:
    rows = [
        LoggedPrediction(project.pk, f"r{k}", NOON, 2, "ham", 0.9, 5.0, Arm.CANARY if k % 5 else Arm.CHAMPION, 7, k)
        for k in range(300)
    ]
    predictions_record(rows=rows)
    values = {"rollout": 7, "since": NOON.replace(hour=0), "until": NOON, "share": SLOW, "name": "click"}
    with connection.cursor() as cursor:
        for statement in (ARMS, FED, FED_OR_NOT):
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
            (plan,) = cursor.fetchone()[0]
            scans = [n for n in nodes(plan["Plan"]) if n.get("Relation Name", "").startswith("monitoring_prediction")]
            assert scans or statement == FED, "the walk does not see the log"
            assert all(node["Actual Loops"] == 1 for node in scans), statement

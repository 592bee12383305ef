"""Schedules, policy, priority, gaps and cost for other systems."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.evaluation.models import FreshnessGap
from apps.projects.models import Project
from apps.training.models import Policy, Run, RunPriority
from tests.conftest import NOON
from tests.rows import labeled, started, trained

As = Callable[[User], Client]
JSON = "application/json"


def test_a_schedule_is_set_and_read_back(as_: As, lin: User, project: Project) -> None:
    url = f"/api/v1/projects/{project.pk}/schedules/"
    sent = {"kind": "full", "days": [1, 3], "time": "04:30", "zone": "Europe/Berlin"}
    answer = as_(lin).put(url, sent, content_type=JSON)
    assert answer.status_code == 200 and answer.json()["days"] == [1, 3] and len(answer.json()["next_runs"]) == 3
    by_kind = {each["kind"]: each for each in as_(lin).get(url).json()["results"]}
    assert by_kind["full"]["time"] == "04:30" and by_kind["incremental"]["enabled"] is False


@pytest.mark.parametrize(
    "change", [{"zone": "Nowhere"}, {"days": []}, {"days": [9]}, {"kind": "half"}, {"time": "late"}]
)
def test_a_wrong_schedule_is_refused_over_the_api(
    as_: As, lin: User, project: Project, change: dict[str, object]
) -> None:
    sent = {"kind": "full", "days": [1], "time": "04:30"} | change
    answer = as_(lin).put(f"/api/v1/projects/{project.pk}/schedules/", sent, content_type=JSON)
    assert answer.status_code in (400, 422) and answer.json()


def test_a_part_of_the_policy_is_changed_and_the_rest_stays(as_: As, lin: User, project: Project) -> None:
    url = f"/api/v1/projects/{project.pk}/policy/"
    assert as_(lin).patch(url, {"full_after_increments": None}, content_type=JSON).status_code == 200
    assert as_(lin).patch(url, {"runs_at_once": 2}, content_type=JSON).json() == {
        "runs_at_once": 2,
        "full_after_increments": None,
        "full_on_gap": True,
        "full_on_schema_change": True,
    }
    assert as_(lin).patch(url, {"runs_at_once": 0}, content_type=JSON).status_code in (400, 422)
    assert Policy.objects.get().runs_at_once == 2


def test_a_run_is_put_first_over_the_api(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = started(project)
    answer = as_(lin).post(f"/api/v1/runs/{run.pk}/priority/", {"priority": 1}, content_type=JSON)
    assert answer.status_code == 200 and answer.json()["priority"] == 1
    assert Run.objects.get().priority == RunPriority.HIGH


def test_gaps_and_cost_are_read_over_the_api(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    line, full = trained(project), trained(project)
    FreshnessGap.objects.create(
        project=project,
        full_run=full,
        incremental_run=line,
        increments=2,
        holdout_rows=50,
        points=0.4,
        low=-1,
        high=1.8,
        full_s=600,
        incremental_s=60,
        at=NOON,
    )
    (gap,) = as_(lin).get(f"/api/v1/projects/{project.pk}/freshness/").json()["results"]
    assert (gap["full_run"], gap["points"], gap["real"]) == (full.number, 0.4, False)
    (month,) = as_(lin).get(f"/api/v1/projects/{project.pk}/ledger/").json()["results"]
    assert (month["month"], month["runs"], month["device_s"]) == ("2026-11-01", 2, 1200.0)
    assert month["kinds"]["full"]["wasted_share"] == 1.0

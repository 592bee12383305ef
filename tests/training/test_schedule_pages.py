"""Schedules, freshness, cost, and the queue of runs, as people meet them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.evaluation.models import FreshnessGap
from apps.lineage.ledger import ledger_of
from apps.projects.models import Project
from apps.releases.services import model_promote
from apps.training.models import Policy, Run, RunPriority, RunState, Schedule
from apps.training.services import ownership
from apps.training.services.runs import run_start
from apps.training.services.schedules import schedules_ensure
from tests.conftest import NOON
from tests.rows import labeled, model, started, trained

As = Callable[[User], Client]
FORM = {"kind": "full", "enabled": "on", "days": ["1", "4"], "time": "22:15", "zone": "Europe/Berlin"}


def test_the_schedules_page_names_the_next_runs(as_: As, lin: User, project: Project) -> None:
    schedules_ensure(project=project, at=NOON)
    page = as_(lin).get(reverse("training:schedules", args=[project.pk]))
    assert page.status_code == 200
    assert page.text.count("02:00</time>") == 3 and "Fine-tune" in page.text and "Off." in page.text


def test_a_schedule_is_saved_and_shown(as_: As, lin: User, project: Project) -> None:
    assert as_(lin).post(reverse("training:schedule", args=[project.pk]), FORM).status_code == 302
    crontab = Schedule.objects.get(project=project, kind="full").task.crontab
    assert (crontab.minute, crontab.hour, crontab.day_of_week, str(crontab.timezone)) == (
        "15",
        "22",
        "1,4",
        "Europe/Berlin",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days": []}, "Choose at least one day of the week"),
        ({"zone": "Mars/Olympus"}, "No time zone is called “Mars/Olympus”"),
        ({"time": "25:99"}, "Enter a valid time"),
        ({"kind": "nonsense"}, "is not known"),
    ],
)
def test_a_wrong_schedule_is_told_at_its_field_and_nothing_is_saved(
    as_: As, lin: User, project: Project, change: dict[str, object], words: str
) -> None:
    answer = as_(lin).post(reverse("training:schedule", args=[project.pk]), FORM | change)
    assert answer.status_code == 422
    assert words in answer.text
    assert not Schedule.objects.exists()


def test_a_manager_sees_schedules_and_cannot_save_them(as_: As, mona: User, project: Project) -> None:
    page = as_(mona).get(reverse("training:schedules", args=[project.pk]))
    assert page.status_code == 200 and "Save the schedule" not in page.text
    assert as_(mona).post(reverse("training:schedule", args=[project.pk]), FORM).status_code == 403


def test_runs_at_once_are_saved_and_absurd_ones_refused(as_: As, lin: User, project: Project) -> None:
    url = reverse("training:places", args=[project.pk])
    assert as_(lin).post(url, {"runs_at_once": 3}).status_code == 302
    assert as_(lin).post(url, {"runs_at_once": 99}).status_code == 422
    assert Policy.objects.get().runs_at_once == 3


def test_a_queued_run_says_its_place_and_when_it_is_expected_to_start(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    trained(project)  # ten minutes
    first = started(project)
    ownership.run_claim(run_id=first.pk, at=NOON)
    Run.objects.filter(pk=first.pk).update(seconds_left=90)
    second = run_start(project=project, kind="incremental", trigger="x", base_run=None, by=None, at=NOON)
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, second.pk])).text
    assert "Next in the queue" in page and "expected to start in 90 s" in page
    third = run_start(project=project, kind="fine-tune", trigger="x", base_run=None, by=None, at=NOON)
    page = as_(lin).get(reverse("lineage:run", args=[project.pk, third.pk])).text
    assert "Number 2 in the queue" in page and "nobody can tell yet" in page
    listed = " ".join(as_(lin).get(reverse("training:runs", args=[project.pk])).text.split())
    assert "next in the queue, in about 90 s" in listed


def test_lin_puts_a_waiting_run_first(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    run = started(project)
    url = reverse("training:priority", args=[project.pk, run.pk])
    assert as_(lin).post(url, {"priority": 1}).status_code == 302
    run.refresh_from_db()
    assert run.priority == RunPriority.HIGH
    assert as_(lin).post(url, {"priority": "soon"}).status_code == 422


def test_a_repetition_in_the_list_says_what_came_out(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    first = trained(project)
    Run.objects.filter(pk=trained(project).pk).update(reproduces=first, comparison={"weights_equal": True})
    page = as_(lin).get(reverse("training:runs", args=[project.pk])).text
    assert page.count("The same weights") == 1 and page.count("not judged yet") == 1
    Run.objects.exclude(pk=first.pk).update(comparison={"weights_equal": False})
    assert "Other weights" in as_(lin).get(reverse("training:runs", args=[project.pk])).text


def test_a_run_is_started_with_a_priority_and_its_kind_cannot_be_started_twice(
    as_: As, lin: User, project: Project
) -> None:
    labeled(project)
    url = reverse("loop:run_start", args=[project.pk])
    assert as_(lin).post(url, {"kind": "full", "priority": "1"}).status_code == 302
    assert Run.objects.get().priority == RunPriority.HIGH
    page = as_(lin).get(reverse("training:runs", args=[project.pk])).text
    assert 'value="full" disabled' in page and 'value="fine-tune" disabled' not in page


def test_the_freshness_page_is_empty_before_the_first_gap(as_: As, lin: User, project: Project) -> None:
    page = as_(lin).get(reverse("evaluation:freshness", args=[project.pk]))
    assert "No gap measured yet" in page.text
    figure = as_(lin).get(reverse("evaluation:freshness_figures", args=[project.pk])).json()["gaps"]
    assert figure["data"] == [] and figure["layout"]["meta"]["empty"]


def test_the_freshness_page_tells_gap_interval_and_both_costs(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    line, full = trained(project), trained(project)
    FreshnessGap.objects.create(
        project=project,
        full_run=full,
        incremental_run=line,
        increments=7,
        holdout_rows=500,
        points=1.4,
        low=0.2,
        high=2.6,
        full_s=605,
        incremental_s=61,
        at=NOON,
    )
    page = as_(lin).get(reverse("evaluation:freshness", args=[project.pk])).text
    for words in ("+1.4", "+0.2", "+2.6", "on 500 holdout examples", "Full is better", "7 incremental runs", "10 min"):
        assert words in page, words
    figure = as_(lin).get(reverse("evaluation:freshness_figures", args=[project.pk])).json()["gaps"]
    assert figure["data"][0]["y"] == [1.4] and "surely better" in figure["layout"]["meta"]["finding"]


def test_the_rules_are_saved_and_an_empty_number_is_off(as_: As, lin: User, project: Project) -> None:
    url = reverse("evaluation:fall_back", args=[project.pk])
    assert as_(lin).post(url, {"full_on_gap": "on", "full_after_increments": ""}).status_code == 302
    policy = Policy.objects.get()
    assert (policy.full_on_gap, policy.full_on_schema_change, policy.full_after_increments) == (True, False, None)
    assert as_(lin).post(url, {"full_after_increments": "0"}).status_code == 422


def test_the_ledger_counts_what_never_served_as_wasted(as_: As, lin: User, project: Project) -> None:
    labeled(project)
    served = model(project)
    model_promote(version=served, reason="", by=lin, at=NOON)
    Run.objects.filter(pk=served.run_id).update(device_s=30, device="one GPU")
    lost = trained(project, at=NOON + timedelta(days=1), base=served.run)
    Run.objects.filter(pk=lost.pk).update(device_s=10)
    failed = started(project, at=NOON + timedelta(days=40))
    Run.objects.filter(pk=failed.pk).update(state=RunState.FAILED, device_s=5)
    Run.objects.filter(pk=started(project, at=NOON).pk).update(state=RunState.RUNNING, device_s=1000)
    december, november = ledger_of([project])[project.pk]
    assert (november.total.runs, november.total.device_s, november.total.wasted_s) == (2, 40.0, 10.0)
    assert november.total.wasted_share == 0.25 and december.total.wasted_share == 1.0
    assert [kind.value for kind, _ in november.kinds] == ["full", "incremental"]
    assert november.devices[0] == ("one GPU", 30.0)
    page = as_(lin).get(reverse("lineage:ledger", args=[project.pk])).text
    assert "November 2026" in page and "25 %" in page


def test_months_of_the_ledger_are_the_readers(lin: User, project: Project) -> None:
    labeled(project)
    run = trained(project, at=NOON)
    Run.objects.filter(pk=run.pk).update(queued_at=NOON.replace(month=10, day=31, hour=23))
    for zone, month in (("UTC", 10), ("Asia/Kolkata", 11), ("America/New_York", 10)):
        with timezone.override(zone):
            (only,) = ledger_of([project])[project.pk]
            assert only.month.month == month, zone


def test_a_project_without_runs_has_spent_nothing(as_: As, lin: User, project: Project) -> None:
    assert "Nothing was spent yet" in as_(lin).get(reverse("lineage:ledger", args=[project.pk])).text

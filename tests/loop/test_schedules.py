"""Runs by the clock, and incremental runs that are made full."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest

from apps.accounts.models import User
from apps.errors import Invalid
from apps.evaluation.models import FreshnessGap, Outcome
from apps.loop import services as loop
from apps.projects.models import Project
from apps.projects.services import LabelSpec, schema_extend
from apps.releases.services import candidate_register, model_promote
from apps.training.models import Run, RunKind, RunState, RunTrigger, Schedule
from apps.training.services.policies import policy_set
from apps.training.services.runs import NoLearner, run_start
from apps.training.services.schedules import (
    DAYS,
    Times,
    next_after,
    schedule_claim,
    schedule_set,
    schedules_due,
    schedules_ensure,
    times_of,
)
from tests import rows
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def of(project: Project, kind: RunKind) -> Schedule:
    return Schedule.objects.select_related("task__crontab").get(project=project, kind=kind)


def test_a_project_gets_a_nightly_incremental_and_a_weekly_full_run(project: Project) -> None:
    loop.schedules_check(at=NOON)
    nightly, weekly = of(project, RunKind.INCREMENTAL), of(project, RunKind.FULL)
    assert next_after(nightly, NOON) == datetime.combine(NOON.date() + DAY, time(2), UTC)
    first = next_after(weekly, NOON)
    assert (first.isoweekday(), first.time()) == (7, time(3)) and next_after(weekly, first) - first == 7 * DAY


def test_times_missed_while_the_console_was_down_fire_once(project: Project) -> None:
    rows.labeled(project, 40)
    schedules_ensure(project=project, at=NOON)
    assert loop.schedules_check(at=NOON + timedelta(hours=13, minutes=59)) == []
    back = NOON + 20 * DAY
    started = loop.schedules_check(at=back)
    assert [(run.kind, run.trigger_type) for run in started] == [("full", RunTrigger.SCHEDULE)]
    assert "already" in of(project, RunKind.INCREMENTAL).task.description  # without a champion it would be full too
    Run.objects.update(state=RunState.CANCELED)
    assert loop.schedules_check(at=back + timedelta(minutes=1)) == []


def test_a_schedule_fires_in_one_process_only(project: Project) -> None:
    schedule = schedules_ensure(project=project, at=NOON)[0]
    assert schedules_due(at=NOON + DAY) == [schedule.pk]
    assert schedule_claim(schedule_id=schedule.pk, at=NOON + DAY) is not None
    assert schedule_claim(schedule_id=schedule.pk, at=NOON + DAY) is None


def test_what_cannot_start_is_told_on_the_schedule(project: Project) -> None:
    schedules_ensure(project=project, at=NOON)
    assert loop.schedules_check(at=NOON + DAY) == []
    assert "no example outside the holdout has a label" in of(project, RunKind.INCREMENTAL).task.description


def test_times_are_those_of_the_zone_also_when_summer_ends(project: Project, lin: User) -> None:
    berlin = Times((1, 3), time(2, 30), "Europe/Berlin")
    schedule = schedule_set(project=project, kind="full", times=berlin, by=lin, at=NOON)
    schedule = of(project, RunKind.FULL)
    assert times_of(schedule) == berlin
    assert next_after(schedule, datetime(2026, 10, 20, tzinfo=UTC)) == datetime(2026, 10, 21, 0, 30, tzinfo=UTC)
    assert next_after(schedule, datetime(2026, 10, 25, 12, tzinfo=UTC)) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_changed_schedule_does_not_make_up_for_times_before_the_change(project: Project, lin: User) -> None:
    schedules_ensure(project=project, at=NOON - 30 * DAY)
    schedule_set(project=project, kind="incremental", times=Times(DAYS, time(11)), by=lin, at=NOON)
    assert of(project, RunKind.INCREMENTAL).pk not in schedules_due(at=NOON)


def test_a_schedule_that_is_off_fires_never(project: Project, lin: User) -> None:
    schedules_ensure(project=project, at=NOON)
    for kind in ("incremental", "full"):
        schedule_set(project=project, kind=kind, times=Times(DAYS, time(11), enabled=False), by=lin, at=NOON)
    assert schedules_due(at=NOON + 30 * DAY) == []


@pytest.mark.parametrize(
    ("kind", "times", "words"),
    [
        ("half", Times(DAYS, time(1)), "The kind “half” is not known here"),
        ("online", Times(DAYS, time(1)), "Known are incremental, full, fine-tune"),
        ("full", Times((), time(1)), "at least one day"),
        ("full", Times((7,), time(1)), "at least one day"),
        ("full", Times(DAYS, time(1), "Mars/Olympus"), "No time zone is called “Mars/Olympus”"),
        ("full", Times(DAYS, time(1), "../etc/passwd"), "No time zone is called"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(
    project: Project, lin: User, kind: str, times: Times, words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        schedule_set(project=project, kind=kind, times=times, by=lin, at=NOON)
    assert not Schedule.objects.exists()


def crowned(project: Project, run: Run, by: User) -> Run:
    version = candidate_register(run=run, report=rows.judged(run, outcome=Outcome.PASS), at=NOON)
    model_promote(version=version, reason="it is better than nothing", by=by, at=NOON)
    return run


def test_an_incremental_run_goes_on_from_the_champion(project: Project, lin: User) -> None:
    rows.labeled(project)
    base = crowned(project, rows.trained(project), lin)
    run = loop.run_start_now(project=project, kind="incremental", by=lin, at=NOON)
    assert (run.kind, run.base_run_id, run.fallback) == ("incremental", base.pk, "")


def test_after_enough_increments_the_next_is_full_and_says_so(project: Project, lin: User) -> None:
    policy_set(
        project=project,
        runs_at_once=1,
        full_after_increments=1,
        full_on_gap=True,
        full_on_schema_change=True,
        by=lin,
        at=NOON,
    )
    rows.labeled(project)
    first = crowned(project, rows.trained(project), lin)
    second = crowned(project, rows.trained(project, base=first), lin)
    run = loop.run_start_now(project=project, kind="incremental", by=lin, at=NOON)
    assert (run.kind, run.base_run, run.fallback) == ("full", None, "In full, after 1 incremental run in a row.")
    assert second.kind == "incremental"


def test_a_label_that_came_makes_the_next_run_full(project: Project, lin: User) -> None:
    rows.labeled(project)
    crowned(project, rows.trained(project), lin)
    schema_extend(project=project, labels=[LabelSpec("other")], by=lin, at=NOON)
    run = loop.run_start_now(project=project, kind="incremental", by=lin, at=NOON)
    assert run.kind == "full" and "“other” came" in run.fallback


def test_a_real_gap_makes_the_next_run_full_until_the_champion_comes_from_that_full_run(
    project: Project, lin: User
) -> None:
    rows.labeled(project)
    first = crowned(project, rows.trained(project), lin)
    line = crowned(project, rows.trained(project, base=first), lin)
    full = rows.trained(project)
    FreshnessGap.objects.create(
        project=project,
        full_run=full,
        incremental_run=line,
        increments=1,
        holdout_rows=100,
        points=2.0,
        low=0.5,
        high=3.5,
        full_s=60,
        incremental_s=5,
        at=NOON,
    )
    run = loop.run_start_now(project=project, kind="incremental", by=lin, at=NOON)
    assert run.kind == "full" and "better than the incremental line by 2.0 points (0.5 to 3.5)" in run.fallback
    Run.objects.filter(pk=run.pk).update(state=RunState.CANCELED)
    crowned(project, full, lin)
    assert loop.run_start_now(project=project, kind="incremental", by=lin, at=NOON).kind == "incremental"


def test_fine_tuning_is_for_texts(make_project: Callable[..., Project]) -> None:
    images = make_project("image-classification")
    rows.labeled(images)
    with pytest.raises(NoLearner, match="Fine-tuning goes on training a text encoder"):
        run_start(project=images, kind="fine-tune", trigger="", base_run=None, by=None, at=NOON)

"""Runs that start by themselves."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.labeling.models import Label
from apps.loop import services as loop
from apps.projects.models import Project
from apps.training.models import Run, RunState
from apps.training.services.triggers import trigger_set

pytestmark = pytest.mark.django_db


def labeled(project: Project, count: int, *, at: datetime) -> None:
    rows = [{"id": f"{at:%H%M%S}-{i}", "text": f"text {i}", "label": ("ham", "spam")[i % 2]} for i in range(count)]
    loop.batch_take(project=project, rows=rows, source="test", by=None, at=at)


def test_a_project_whose_trigger_nobody_touched_starts_a_run_after_its_hundred_labels(
    project: Project, noon: datetime
) -> None:
    labeled(project, 150, at=noon)
    fresh = Label.objects.filter(project=project, holdout=False).count()
    assert fresh >= 100
    started = loop.triggers_check(at=timezone.now() + timedelta(minutes=1))
    assert [run.state for run in started] == [RunState.QUEUED]
    assert "new labels" in started[0].trigger


def test_too_few_labels_start_nothing(project: Project, noon: datetime) -> None:
    labeled(project, 40, at=noon)
    assert loop.triggers_check(at=timezone.now() + timedelta(minutes=1)) == []


def test_a_trigger_that_was_switched_off_starts_nothing(project: Project, noon: datetime, lin: User) -> None:
    labeled(project, 150, at=noon)
    trigger_set(project=project, enabled=False, new_labels=10, debounce_s=0, kind="full", by=lin, at=noon)
    assert loop.triggers_check(at=timezone.now() + timedelta(minutes=1)) == []


def test_an_open_run_keeps_the_trigger_waiting(project: Project, noon: datetime) -> None:
    labeled(project, 150, at=noon)
    assert len(loop.triggers_check(at=timezone.now() + timedelta(minutes=1))) == 1
    assert loop.triggers_check(at=timezone.now() + timedelta(minutes=5)) == []


def test_a_run_that_failed_is_not_started_again_and_again_by_the_same_labels(project: Project, noon: datetime) -> None:
    labeled(project, 150, at=noon)
    loop.triggers_check(at=timezone.now() + timedelta(minutes=1))
    Run.objects.filter(project=project).update(state=RunState.FAILED)
    assert loop.triggers_check(at=timezone.now() + timedelta(hours=1)) == []

"""What labels found harmless alarms no second time while nothing else moves; losses always do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.monitoring.models import Alert
from apps.monitoring.monitors.harmless import known_for
from apps.monitoring.monitors.scoring import alarm_judged
from apps.monitoring.services import Reference, alert_resolve, drift_check
from apps.projects.models import Project
from apps.rules.monitors.verdicts import AlarmJudgment
from tests.monitoring.monitors.conftest import MIDNIGHT, answered, asked, came_back, look

Watched = Callable[..., Project]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIX, COLUMNS = {"type": "class_mix"}, {"type": "column-drift"}
OLDER = [{"age": 59, "city": "Rome"}, {"age": 58, "city": "Oslo"}] * 60
ELSEWHERE = [{"age": 59, "city": "Kyiv"}] * 120


def closed(project: Project, mona: User, *, at: datetime, verdict: str = "false") -> Alert:
    """The open alarm, resolved and judged."""
    alert = Alert.objects.get(project=project, resolved_at=None)
    alert_resolve(project=project, alert_id=alert.pk, note="Looked at.", by=mona, at=at)
    return alarm_judged(alert=alert, found=AlarmJudgment(verdict, "By its labels."), at=at)


def raised(project: Project) -> int:
    return Alert.objects.filter(project=project).count()


def test_what_was_found_harmless_is_read_on_and_alarms_no_second_time(watched: Watched, mona: User) -> None:
    project = watched(COLUMNS)
    asked(project, MIDNIGHT, OLDER)
    look(project, MIDNIGHT)
    first = closed(project, mona, at=MIDNIGHT + HOUR)
    asked(project, MIDNIGHT + DAY, OLDER)
    reading = look(project, MIDNIGHT + DAY)[-1]
    reading.refresh_from_db()
    assert (reading.outcome, reading.alert_id, raised(project)) == ("raised", None, 1)
    held = f"Alarm {first.pk} found that harmless: for 30 days it alarms again only where something else moves."
    assert reading.sentence.startswith(held + " “age”:")


@pytest.mark.parametrize("verdict", ["true", "undecided"])
def test_only_what_was_judged_false_is_known(watched: Watched, mona: User, verdict: str) -> None:
    project = watched(COLUMNS)
    asked(project, MIDNIGHT, OLDER)
    look(project, MIDNIGHT)
    closed(project, mona, at=MIDNIGHT + HOUR, verdict=verdict)
    asked(project, MIDNIGHT + DAY, OLDER)
    look(project, MIDNIGHT + DAY)
    assert raised(project) == 2


def test_where_something_else_moves_it_alarms(watched: Watched, mona: User) -> None:
    project = watched(COLUMNS)
    asked(project, MIDNIGHT, OLDER)
    look(project, MIDNIGHT)
    closed(project, mona, at=MIDNIGHT + HOUR)
    asked(project, MIDNIGHT + DAY, ELSEWHERE)
    look(project, MIDNIGHT + DAY)
    assert raised(project) == 2


@pytest.mark.parametrize(("days", "model", "alarms"), [(29, 1, 1), (32, 1, 2), (2, 2, 2)])
def test_it_is_known_for_a_month_and_of_this_model(
    watched: Watched, mona: User, days: int, model: int, alarms: int
) -> None:
    project = watched(COLUMNS)
    asked(project, MIDNIGHT, OLDER)
    look(project, MIDNIGHT)
    closed(project, mona, at=MIDNIGHT + HOUR)
    asked(project, MIDNIGHT + days * DAY, OLDER)
    look(project, MIDNIGHT + days * DAY, model_number=model)
    assert raised(project) == alarms


def test_wrong_answers_are_never_known(watched: Watched, mona: User) -> None:
    project = watched({"type": "performance"})
    came_back(project, MIDNIGHT, [0, 1] * 100, hours=0.9)
    look(project, MIDNIGHT + DAY)
    closed(project, mona, at=MIDNIGHT + DAY)
    came_back(project, MIDNIGHT + DAY + HOUR, [0, 1] * 100, hours=0.9)
    look(project, MIDNIGHT + 2 * DAY + HOUR)
    assert raised(project) == 2


@pytest.mark.parametrize(("budget", "days"), [(1, 30), (0.5, 60), (4, 8), (100, 1), (0.01, 365)])
def test_it_is_known_for_as_long_as_the_budget_has_one_false_alarm(budget: float, days: int) -> None:
    assert known_for(budget).days == days


def test_a_drift_check_keeps_to_it_where_nobody_set_a_policy(project: Project, mona: User) -> None:
    def check(at: datetime, labels: Any) -> Any:
        answered(project, at, labels)
        said = Reference(["ham", "spam"], ["ham", "spam"] * 100, [0.9] * 200)
        return drift_check(project=project, model_number=1, reference=said, at=at, seed=1)

    check(MIDNIGHT, ["ham"])
    first = closed(project, mona, at=MIDNIGHT)
    assert "class_mix" in first.monitors
    again = check(MIDNIGHT + DAY, ["ham"])
    assert again.outcome == "drift" and again.sentence.startswith(f"Alarm {first.pk} found that harmless")
    assert raised(project) == 1
    check(MIDNIGHT + 40 * DAY, ["ham"])
    assert raised(project) == 2

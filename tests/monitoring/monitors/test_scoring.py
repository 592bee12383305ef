"""Every alarm is held against the labels that came after it: true, false, or undecided where none came."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from apps.audit.models import Event
from apps.monitoring.models import Alert
from apps.monitoring.monitors.scoring import alarm_judged, alarms_judge
from apps.projects.models import Project
from apps.rules.monitors.verdicts import AlarmEvidence, AlarmJudgment, judge_alarm
from tests.monitoring.monitors.conftest import MIDNIGHT, answered, came_back, look, reference

Watched = Callable[..., Project]
DAY = timedelta(days=1)
RIPE = MIDNIGHT + 2 * DAY + timedelta(hours=1)  # a day after the window, and its labels are mature


@pytest.fixture
def alert(watched: Watched) -> Alert:
    """The window of the day before MIDNIGHT had another mix than the holdout, of which one in ten is wrong."""
    project = watched({"type": "class_mix"})
    answered(project, MIDNIGHT, ["ham"])
    look(project, MIDNIGHT)
    return Alert.objects.get()


def judged(alert: Alert, at: object = RIPE) -> Alert:
    alarms_judge(project=alert.project, reference=reference(), at=at)  # type: ignore[arg-type]
    alert.refresh_from_db()
    return alert


def test_an_alarm_after_which_answers_were_wrong_more_often_was_true(alert: Alert) -> None:
    came_back(alert.project, MIDNIGHT + DAY / 2, [0, 1] * 50)
    found = judged(alert)
    assert (found.verdict, found.judged_at) == ("true", RIPE)
    assert found.verdict_words == "50.0 % of 100 answers with a label were wrong; 10.0 % on the holdout."
    assert Event.objects.filter(verb="alert.judged").count() == 1


def test_an_alarm_after_which_nothing_was_worse_was_false(alert: Alert) -> None:
    came_back(alert.project, MIDNIGHT + DAY / 2, [0, *[1] * 9] * 10)
    found = judged(alert)
    assert found.verdict == "false" and "as on the holdout (10.0 %)" in found.verdict_words


def test_labels_that_are_still_to_come_are_waited_for_and_then_it_stays_undecided(alert: Alert) -> None:
    came_back(alert.project, MIDNIGHT, [0] * 5)
    assert judged(alert).verdict == "" and judged(alert, MIDNIGHT + 8 * DAY).verdict == ""
    found = judged(alert, MIDNIGHT + 10 * DAY)
    assert found.verdict == "undecided"
    assert found.verdict_words == "Only 5 labels of that time came back; 30 are needed to tell."


def test_labels_of_before_the_window_and_long_after_it_say_nothing(alert: Alert) -> None:
    came_back(alert.project, MIDNIGHT - 2 * DAY, [0] * 100)
    came_back(alert.project, MIDNIGHT + 3 * DAY, [0] * 100)
    assert judged(alert).verdict == ""


def test_it_is_judged_once_by_two_lookers_too(alert: Alert) -> None:
    came_back(alert.project, MIDNIGHT + DAY / 2, [0, 1] * 50)
    judged(alert)
    stale = Alert.objects.get()
    stale.verdict = ""
    again = alarm_judged(alert=stale, found=AlarmJudgment("false", "Nothing."), at=RIPE)
    assert again.verdict == "true" and Event.objects.filter(verb="alert.judged").count() == 1


@pytest.mark.parametrize(
    ("wrong", "answers", "tolerance", "verdict"),
    [(13, 100, 0.02, "false"), (20, 100, 0.02, "true"), (20, 100, 0.15, "false"), (29, 29, 0, "undecided")],
)
def test_a_rise_counts_beyond_the_tolerance_and_beyond_chance(
    wrong: int, answers: int, tolerance: float, verdict: str
) -> None:
    assert judge_alarm(AlarmEvidence(wrong, answers, 50, 500, tolerance)).verdict == verdict

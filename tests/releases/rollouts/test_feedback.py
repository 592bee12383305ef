"""Feedback as a metric of a rollout: what came back for mature answers of both arms, entity by entity."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from apps.accounts.models import User
from apps.monitoring.feedback.services import feedback_take
from apps.monitoring.feedback.settings import feedback_settings_set
from apps.monitoring.models import Feedback, Prediction
from apps.projects.models import Project
from apps.releases.models import AnalysisLook, PauseCause, Rollout, RolloutPhase
from apps.releases.rollouts.moving import rollout_advance
from apps.rules.rollouts.policy import PolicyRefused, policy_of
from tests.conftest import NOON
from tests.releases.rollouts.test_services import policy, ready, released
from tests.releases.rollouts.traffic import asked

__all__ = ["ready"]
MINUTE, MATURE = timedelta(minutes=1), timedelta(minutes=6)


def watched(project: Project, lin: User, mona: User, *, zero: tuple[str, ...] = (), **metric: Any) -> Rollout:
    """A canary at 20 %, looked at three times, a minute apart, once answers are six minutes old."""
    settings = {"name": "feedback", "interval": "1m", "count": 3, "minSample": 100, **metric}
    steps = [{"setWeight": 20}, {"analysis": {"metrics": [settings]}}, {"setWeight": 100}]
    feedback_settings_set(project=project, by=mona, at=NOON, maturity_hours=0.1, zero_names=list(zero))
    policy(project, lin, {"steps": steps})
    return released(project, lin)


def told(rollout: Rollout, n: int, at: datetime, *, first: int = 0, **said: Any) -> None:
    """`n` entities ask; `said` gives what comes back by arm, as a function of how many of the arm came before."""
    asked(rollout, n, at, first=first)
    rows, seen = [], {"canary": 0, "champion": 0}
    answers = Prediction.objects.filter(rollout=rollout.pk, at=at).order_by("id")
    for answer in answers:
        seen[answer.arm] += 1
        piece = said[answer.arm](seen[answer.arm], answer)
        if piece is not None:
            rows.append({"inference_id": answer.inference_id, "at": at.isoformat(), **piece})
    for start in range(0, len(rows), 1000):
        feedback_take(project=rollout.project, rows=rows[start : start + 1000], at=at)


def clicks(of: int) -> Any:
    """Every so-manyth clicks; nobody else says anything."""
    return lambda k, _: {"name": "click", "value": 1} if k % of == 0 else None


def number(name: str, value: float) -> Any:
    return lambda k, _: {"name": name, "value": value + (k % 7)}


def right(of_ten: int) -> Any:
    return lambda k, answer: {"label": answer.label if k % 10 < of_ten else other(answer.label)}


def other(label: str) -> str:
    return "ham" if label == "spam" else "spam"


def advanced(rollout: Rollout, minutes: float) -> Rollout:
    return rollout_advance(rollout_id=rollout.pk, at=NOON + minutes * MINUTE)


def test_a_canary_whose_users_click_less_is_taken_back(ready: Project, lin: User, mona: User) -> None:
    rollout = watched(ready, lin, mona, zero=("click",), feedback="click")
    told(rollout, 3_000, NOON + MINUTE / 2, canary=clicks(20), champion=clicks(6))
    assert advanced(rollout, 3).phase == RolloutPhase.PROGRESSING and not AnalysisLook.objects.exists()
    rollout = advanced(rollout, 9)
    assert (rollout.phase, rollout.weight) == (RolloutPhase.DEGRADED, 0)
    look = AnalysisLook.objects.order_by("number").last()
    assert look.canary == pytest.approx(0.05, abs=0.01) and look.stable == pytest.approx(1 / 6, abs=0.01)
    assert "Feedback “click”: 0.0" in rollout.message


def test_a_canary_whose_users_click_as_often_goes_on(ready: Project, lin: User, mona: User) -> None:
    rollout = watched(ready, lin, mona, zero=("click",), feedback="click")
    told(rollout, 2_000, NOON + MINUTE / 2, canary=clicks(10), champion=clicks(10))
    assert advanced(rollout, 9).phase == RolloutPhase.HEALTHY


def test_labels_that_come_back_are_accuracy_by_arm(ready: Project, lin: User, mona: User) -> None:
    rollout = watched(ready, lin, mona)
    told(rollout, 2_000, NOON + MINUTE / 2, canary=right(6), champion=right(9))
    rollout = advanced(rollout, 9)
    assert rollout.phase == RolloutPhase.DEGRADED
    found = re.match(r"Feedback: ([\d.]+) % against ([\d.]+) %; look 1 shows harm", rollout.message)
    assert found and [float(share) for share in found.groups()] == [pytest.approx(60, abs=2), pytest.approx(90, abs=2)]


def test_young_answers_do_not_count(ready: Project, lin: User, mona: User) -> None:
    rollout = watched(ready, lin, mona, zero=("click",), feedback="click")
    told(rollout, 600, NOON + MINUTE / 2, canary=clicks(10), champion=clicks(10))
    told(rollout, 2_000, NOON + 5 * MINUTE, first=5_000, canary=lambda *_: None, champion=clicks(4))
    advanced(rollout, 8)
    assert set(AnalysisLook.objects.values_list("samples", flat=True)) == {
        Prediction.objects.filter(arm="canary", at__lt=NOON + MINUTE).count()
    }


def test_too_little_mature_feedback_waits_for_a_person(ready: Project, lin: User, mona: User) -> None:
    rollout = watched(ready, lin, mona, feedback="rating")
    told(rollout, 100, NOON + MINUTE / 2, canary=number("rating", 3), champion=number("rating", 3))
    rollout = advanced(rollout, 9)
    assert (rollout.phase, rollout.pause) == (RolloutPhase.PAUSED, PauseCause.INCONCLUSIVE)
    assert "Feedback “rating”" in rollout.message and "missing" in rollout.message


def test_a_number_that_should_be_low_harms_where_it_rises(ready: Project, lin: User, mona: User) -> None:
    rollout = watched(ready, lin, mona, feedback="minutes lost", higherIsBetter=False)
    told(rollout, 2_000, NOON + MINUTE / 2, canary=number("minutes lost", 8), champion=number("minutes lost", 5))
    assert advanced(rollout, 9).phase == RolloutPhase.DEGRADED


def test_who_asks_often_is_one_draw(ready: Project, lin: User, mona: User) -> None:
    """Ten requests of one entity that say the same are no ten times as sure."""
    rollout = watched(ready, lin, mona, feedback="rating", minSample=10)

    def of_ten(k: int, answer: Prediction) -> dict[str, Any]:
        return {"name": "rating", "value": 5 * (answer.entity // 10 % 2)}

    told(rollout, 1_000, NOON + MINUTE / 2, canary=of_ten, champion=of_ten)
    advanced(rollout, 7)
    alone = AnalysisLook.objects.get(number=1).variance
    AnalysisLook.objects.all().delete()
    Feedback.objects.update(entity=F("entity") / 10)
    advanced(rollout, 7)
    assert AnalysisLook.objects.get(number=1).variance > 1.5 * alone


def test_another_metric_takes_no_name_of_feedback() -> None:
    metrics = [{"name": "error-rate", "feedback": "click"}]
    with pytest.raises(PolicyRefused, match="names a number or “label”"):
        policy_of({"steps": [{"setWeight": 1}, {"analysis": {"metrics": metrics}}, {"setWeight": 100}]})

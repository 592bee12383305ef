"""Rollouts from the click to all traffic, or back."""

from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.errors import DomainError, Invalid
from apps.monitoring.models import Alert, Prediction
from apps.monitoring.selectors import predictions_of
from apps.projects.models import Project
from apps.projects.policies.services import policy_given, policy_set
from apps.releases.models import AnalysisLook, PauseCause, Promotion, Rollout, RolloutPhase
from apps.releases.rollouts.moving import rollout_advance, rollouts_advance
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.rollouts.services import release_start, rollout_abort, rollout_pause, rollout_promote, rollout_resume
from apps.releases.selectors import champion_of, served
from apps.releases.services import RolloutUnderWay, model_promote, model_roll_back
from tests.conftest import NOON
from tests.releases.rollouts.traffic import asked
from tests.rows import labeled, model

MINUTE = timedelta(minutes=1)
METRICS = [{"name": name, "interval": "1m", "count": 3, "minSample": 100} for name in ("error-rate", "class-mix")]
CANARY = {"steps": [{"setWeight": 20}, {"analysis": {"metrics": METRICS}}, {"pause": {}}, {"setWeight": 100}]}
WHY = "The rare labels matter more to us than the mean."


@pytest.fixture
def ready(project: Project, lin: User) -> Project:
    """A champion v1, a candidate v2, and a policy of one analysis at 20 %."""
    labeled(project)
    first = model(project)
    model_promote(version=first, reason="", by=lin, at=NOON)
    model(project, base=first.run)
    policy(project, lin, CANARY)
    return project


def policy(project: Project, by: User, given: dict) -> None:
    policy_set(RELEASE_POLICY, project=project, policy=policy_given(RELEASE_POLICY, given), by=by, at=NOON)


def released(project: Project, by: User, *, reason: str = "") -> Rollout:
    return release_start(version=project.model_versions.get(number=2), reason=reason, by=by, at=NOON)


def numbers(project: Project) -> list[tuple[int, float | None]]:
    return [(m.version_number, m.route.weight if m.route else None) for m in served()]


def test_a_promotion_is_a_rollout_of_one_step(project: Project, lin: User) -> None:
    labeled(project)
    rollout = release_start(version=model(project), reason="", by=lin, at=NOON)
    assert (rollout.phase, rollout.weight, rollout.promotion) == (RolloutPhase.HEALTHY, 100, Promotion.objects.get())
    assert rollout.ended_at == NOON and not served()[0].route


def test_a_good_model_reaches_everybody_step_by_step(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    assert (rollout.step, rollout.weight, rollout.phase) == (1, 20, RolloutPhase.PROGRESSING)
    assert numbers(ready) == [(1, 20)]
    for minute in (1, 2, 3):
        asked(rollout, 2_000, NOON + minute * MINUTE - timedelta(seconds=1), first=minute * 2_000)
        rollout = rollout_advance(rollout_id=rollout.pk, at=NOON + minute * MINUTE)
    assert AnalysisLook.objects.count() == 6
    assert (rollout.phase, rollout.pause, rollout.step) == (RolloutPhase.PAUSED, PauseCause.STEP, 2)
    rollout = rollout_resume(rollout=rollout, by=lin, at=NOON + 9 * MINUTE)
    assert (rollout.phase, rollout.weight) == (RolloutPhase.HEALTHY, 100)
    assert champion_of(ready).number == 2 and rollout.promotion.replaced.number == 1
    assert numbers(ready) == [(2, None)]


def test_a_canary_that_fails_is_taken_back_at_once_with_an_alarm(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    asked(rollout, 2_000, NOON + timedelta(seconds=50), failing=0.2)
    rollouts_advance(at=NOON + MINUTE)
    rollout.refresh_from_db()
    assert (rollout.phase, rollout.weight) == (RolloutPhase.DEGRADED, 0)
    assert "Failed requests" in rollout.message
    assert numbers(ready) == [(1, None)] and champion_of(ready).number == 1
    assert Alert.objects.get(resolved_at=None).kind == "rollout"


def test_a_canary_that_answers_otherwise_is_taken_back(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    asked(rollout, 4_000, NOON + timedelta(seconds=50), canary_label="ham")
    assert rollout_advance(rollout_id=rollout.pk, at=NOON + MINUTE).phase == RolloutPhase.DEGRADED


def test_too_little_traffic_waits_for_a_person_and_says_what_is_missing(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    asked(rollout, 100, NOON + timedelta(seconds=50))
    rollout = rollout_advance(rollout_id=rollout.pk, at=NOON + 3 * MINUTE)
    assert (rollout.phase, rollout.pause) == (RolloutPhase.PAUSED, PauseCause.INCONCLUSIVE)
    assert "missing" in rollout.message
    assert rollout_resume(rollout=rollout, by=lin, at=NOON + 4 * MINUTE).step == 2


def test_a_split_that_is_not_the_one_asked_for_is_judged_by_nobody(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    asked(rollout, 1_000, NOON + timedelta(seconds=50))
    Prediction.objects.filter(arm="canary", entity__lt=500).delete()
    rollout = rollout_advance(rollout_id=rollout.pk, at=NOON + MINUTE)
    assert (rollout.phase, rollout.pause) == (RolloutPhase.PAUSED, PauseCause.SPLIT)
    assert not AnalysisLook.objects.exists() and "20 % were asked for" in rollout.message


def test_answers_of_the_weight_before_belong_to_no_step(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    asked(rollout, 1_000, NOON + timedelta(seconds=2), failing=0.5)
    rollout = rollout_advance(rollout_id=rollout.pk, at=NOON + MINUTE)
    assert rollout.phase == RolloutPhase.PROGRESSING
    assert set(AnalysisLook.objects.values_list("samples", flat=True)) == {0}


def test_twice_at_one_moment_is_once(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    asked(rollout, 2_000, NOON + timedelta(seconds=50))
    for _ in range(3):
        rollout_advance(rollout_id=rollout.pk, at=NOON + MINUTE)
    assert AnalysisLook.objects.count() == 2


def test_a_clock_that_jumps_back_takes_no_look_away_and_none_twice(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    asked(rollout, 2_000, NOON + timedelta(seconds=50))
    for minutes in (2, 1, -30, 2):
        rollout = rollout_advance(rollout_id=rollout.pk, at=NOON + minutes * MINUTE)
    assert AnalysisLook.objects.count() == 4 and rollout.phase == RolloutPhase.PROGRESSING


def test_copies_are_compared_with_what_the_champion_said(ready: Project, lin: User) -> None:
    watched = {"name": "agreement", "interval": "1m", "count": 2, "minSample": 100, "limit": 0.8}
    shadow = {
        "steps": [{"setMirrorRoute": {"percentage": 100}}, {"analysis": {"metrics": [watched]}}, {"setWeight": 100}]
    }
    policy(ready, lin, shadow)
    rollout = released(ready, lin)
    assert (rollout.weight, rollout.mirror) == (0, 100)
    asked(rollout, 1_000, NOON + timedelta(seconds=50), agreeing=0.6)
    rollout = rollout_advance(rollout_id=rollout.pk, at=NOON + MINUTE)
    assert rollout.phase == RolloutPhase.DEGRADED and "60.00 % against 80.00 %" in rollout.message
    assert predictions_of(ready).count() == 1_000, "what a shadow said was nobody's answer"


def test_a_second_release_is_refused_or_takes_the_place_by_policy(ready: Project, lin: User) -> None:
    first = released(ready, lin)
    third = model(ready, base=first.version.run)
    with pytest.raises(RolloutUnderWay, match="v2 is on its way"):
        release_start(version=third, reason="", by=lin, at=NOON)
    with pytest.raises(RolloutUnderWay):
        model_promote(version=third, reason="", by=lin, at=NOON)
    policy(ready, lin, {**CANARY, "whileOne": "supersede"})
    second = release_start(version=third, reason="", by=lin, at=NOON)
    first.refresh_from_db()
    assert first.phase == RolloutPhase.DEGRADED and first.message == "v3 took its place."
    assert second.version.number == 3 and Rollout.objects.filter(ended_at=None).count() == 1


def test_the_emergency_brake_ends_a_rollout_too(ready: Project, lin: User) -> None:
    policy(ready, lin, {"steps": [{"setWeight": 100}]})
    released(ready, lin)
    third = model(ready, base=ready.model_versions.get(number=2).run)
    policy(ready, lin, CANARY)
    under_way = release_start(version=third, reason="", by=lin, at=NOON)
    model_roll_back(project=ready, reason="Everything is slow.", expected_champion=2, by=lin, at=NOON)
    under_way.refresh_from_db()
    assert under_way.phase == RolloutPhase.DEGRADED and numbers(ready) == [(1, None)]


def test_who_goes_back_to_what_served_lately_skips_the_steps(ready: Project, lin: User) -> None:
    policy(ready, lin, {"steps": [{"setWeight": 100}]})
    released(ready, lin)
    policy(ready, lin, CANARY)
    back = release_start(version=ready.model_versions.get(number=1), reason="", by=lin, at=NOON)
    assert back.phase == RolloutPhase.HEALTHY and champion_of(ready).number == 1


def test_a_person_pauses_goes_on_and_stops(ready: Project, lin: User) -> None:
    rollout = rollout_pause(rollout=released(ready, lin), by=lin, at=NOON)
    assert (rollout.phase, rollout.pause, rollout.weight) == (RolloutPhase.PAUSED, PauseCause.PERSON, 20)
    assert rollout_advance(rollout_id=rollout.pk, at=NOON + 9 * MINUTE).phase == RolloutPhase.PAUSED
    with pytest.raises(DomainError, match="look again"):
        rollout_pause(rollout=rollout, by=lin, at=NOON)
    rollout = rollout_resume(rollout=rollout, by=lin, at=NOON)
    assert (rollout.phase, rollout.step) == (RolloutPhase.PROGRESSING, 1)
    rollout = rollout_abort(rollout=rollout, reason="", by=lin, at=NOON)
    assert rollout.phase == RolloutPhase.DEGRADED and not Alert.objects.exists()
    with pytest.raises(DomainError, match="Aborted"):
        rollout_resume(rollout=rollout, by=lin, at=NOON)


def test_to_skip_the_steps_that_are_left_wants_a_reason(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    with pytest.raises(Invalid, match="at least 20 characters"):
        rollout_promote(rollout=rollout, reason="now", by=lin, at=NOON)
    rollout = rollout_promote(rollout=rollout, reason=WHY, by=lin, at=NOON)
    assert rollout.phase == RolloutPhase.HEALTHY and rollout.promotion.reason == WHY


def test_after_an_abort_the_same_version_can_be_tried_again(ready: Project, lin: User) -> None:
    first = rollout_abort(rollout=released(ready, lin), reason="too early", by=lin, at=NOON)
    again = released(ready, lin)
    assert again.pk != first.pk and again.salt != first.salt


def test_each_policy_is_kept_and_what_is_under_way_keeps_its_own(ready: Project, lin: User) -> None:
    rollout = released(ready, lin)
    policy(ready, lin, {"steps": [{"setWeight": 100}]})
    assert [p.number for p in ready.release_policies.all()] == [2, 1]
    rollout.refresh_from_db()
    assert rollout_advance(rollout_id=rollout.pk, at=NOON).phase == RolloutPhase.PROGRESSING
    with pytest.raises(Invalid, match="the last setWeight is 100"):
        policy(ready, lin, {"steps": [{"setWeight": 10}]})

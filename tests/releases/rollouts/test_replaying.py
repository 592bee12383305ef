"""What another policy would have made of the recorded answers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.errors import Invalid
from apps.projects.models import Project
from apps.projects.policies.services import policy_given
from apps.releases.models import AnalysisLook, Rollout, RolloutPhase
from apps.releases.rollouts import replaying
from apps.releases.rollouts.moving import rollout_advance
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.rollouts.replaying import ReplayOutcome, replay
from apps.releases.rollouts.services import rollout_abort
from apps.rules.rollouts.policy import RolloutPolicy
from tests.api import api_of
from tests.conftest import NOON
from tests.releases.rollouts.test_policy_page import fields
from tests.releases.rollouts.test_services import CANARY, MINUTE, ready, released  # noqa: F401
from tests.releases.rollouts.traffic import asked

As = Callable[[User], Client]
AFTER = NOON + 60 * MINUTE


def recorded(ready: Project, lin: User, *, failing: float, minutes: int = 12) -> Rollout:  # noqa: F811
    """A canary that 400 entities a minute met, until somebody took it back by hand."""
    rollout = released(ready, lin)
    for minute in range(minutes):
        at = NOON + minute * MINUTE + timedelta(seconds=30)
        asked(rollout, 400, at, first=400 * minute, failing=failing)
    return rollout_abort(rollout=rollout, reason="", by=lin, at=NOON + minutes * MINUTE)


def errors(**settings: Any) -> RolloutPolicy:
    metric = {"name": "error-rate", "interval": "1m", "count": 6, "minSample": 50, **settings}
    return policy_given(
        RELEASE_POLICY, {"steps": [{"setWeight": 20}, {"analysis": {"metrics": [metric]}}, {"setWeight": 100}]}
    )


def test_a_policy_that_would_have_aborted_says_at_which_look(ready: Project, lin: User) -> None:  # noqa: F811
    rollout = recorded(ready, lin, failing=0.05)
    found = replay(rollout=rollout, policy=errors(), now=AFTER)
    assert found.outcome is ReplayOutcome.ABORTED and found.look is not None
    assert found.looks[-1].number == found.look and found.at == NOON + found.look * MINUTE
    assert found.words.startswith(f"It would have aborted at step 2, look {found.look}, after {found.look} min: Failed")
    slower = replay(rollout=rollout, policy=errors(interval="3m", count=3), now=AFTER)
    assert slower.outcome is ReplayOutcome.ABORTED and slower.at > found.at


def test_it_takes_the_looks_that_the_rollout_itself_took(ready: Project, lin: User) -> None:  # noqa: F811
    """The same policy, replayed, sees the same figures and decides the same."""
    rollout = released(ready, lin)
    for minute in (1, 2, 3):
        asked(rollout, 2_000, NOON + minute * MINUTE - timedelta(seconds=1), first=minute * 2_000, failing=0.01)
        rollout = rollout_advance(rollout_id=rollout.pk, at=NOON + minute * MINUTE)
    found = replay(rollout=rollout, policy=policy_given(RELEASE_POLICY, CANARY), now=AFTER)
    live = AnalysisLook.objects.filter(rollout=rollout).order_by("at", "metric")
    assert [(x.step, x.number, x.figures.canary, x.judgment.phase) for x in found.looks] == [
        (x.step, x.number, x.canary, x.phase) for x in live
    ]
    assert rollout.phase == (RolloutPhase.PAUSED if found.outcome is ReplayOutcome.PROMOTED else RolloutPhase.DEGRADED)


def test_a_good_one_would_have_reached_everybody_or_the_record_ends(ready: Project, lin: User) -> None:  # noqa: F811
    rollout = recorded(ready, lin, failing=0.0)
    promoted = replay(rollout=rollout, policy=errors(), now=AFTER)
    assert (promoted.outcome, promoted.at) == (ReplayOutcome.PROMOTED, NOON + 6 * MINUTE)
    assert promoted.words == "It would have reached everybody after 6 min."
    ends = replay(rollout=rollout, policy=errors(count=20), now=AFTER)
    assert (ends.outcome, len(ends.looks)) == (ReplayOutcome.RECORD_ENDS, 12)
    asks = replay(rollout=rollout, policy=errors(minSample=100_000), now=AFTER)
    assert asks.outcome is ReplayOutcome.PAUSED and "samples missing" in asks.words


def test_pauses_take_their_time_and_one_without_a_time_takes_none(ready: Project, lin: User) -> None:  # noqa: F811
    rollout = recorded(ready, lin, failing=0.0)
    waits = [{"setWeight": 20}, {"pause": {"duration": "5m"}}, {"pause": {}}, {"setWeight": 100}]
    assert (
        replay(rollout=rollout, policy=policy_given(RELEASE_POLICY, {"steps": waits}), now=AFTER).at
        == NOON + 5 * MINUTE
    )
    waits[1] = {"pause": {"duration": "1h"}}
    long = replay(rollout=rollout, policy=policy_given(RELEASE_POLICY, {"steps": waits}), now=AFTER)
    assert long.outcome is ReplayOutcome.RECORD_ENDS


def test_it_ends_in_time(ready: Project, lin: User, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    rollout = recorded(ready, lin, failing=0.0, minutes=3)
    monkeypatch.setattr(replaying, "MOST_TIMES", 2)
    found = replay(rollout=rollout, policy=errors(), now=AFTER)
    assert (found.outcome, len(found.looks)) == (ReplayOutcome.CUT_OFF, 2)
    monkeypatch.setattr(replaying, "MOST_TIMES", 400)
    monkeypatch.setattr(replaying, "WITHIN_S", -1.0)
    assert replay(rollout=rollout, policy=errors(), now=AFTER).outcome is ReplayOutcome.CUT_OFF


def test_the_first_champion_has_nothing_to_replay(ready: Project) -> None:  # noqa: F811
    with pytest.raises(Invalid, match="stood beside nobody"):
        replay(rollout=Rollout.objects.get(), policy=errors(), now=AFTER)


def test_the_page_replays_the_rows_as_they_stand_and_sets_nothing(as_: As, lin: User, ready: Project) -> None:  # noqa: F811
    rollout = recorded(ready, lin, failing=0.05)
    client = as_(lin)
    page = client.get(reverse("releases:policy", args=[ready.pk]))
    before = ready.release_policies.count()
    asked_for = {**fields(page), "replay": "1", "rollout": str(rollout.pk)}
    shown = client.post(reverse("releases:policy_set", args=[ready.pk]), asked_for)
    assert shown.status_code == 200 and "It would have aborted at step 2, look" in shown.text
    assert ready.release_policies.count() == before
    gone = client.post(reverse("releases:policy_set", args=[ready.pk]), {**asked_for, "rollout": "987654321"})
    assert gone.status_code == 404
    nonsense = client.post(reverse("releases:policy_set", args=[ready.pk]), {**asked_for, "rollout": "x"})
    assert nonsense.status_code == 404


def test_the_api_replays_too(lin: User, mallory: User, ready: Project) -> None:  # noqa: F811
    rollout = recorded(ready, lin, failing=0.05)
    address = f"/api/v1/rollouts/{rollout.pk}/replay/"
    told = api_of(lin).post(address, {"policy": errors().written()}, format="json").json()
    assert (told["outcome"], told["step"]) == ("aborted", 1) and told["looks"][-1]["number"] == told["look"]
    assert told["looks"][-1]["metric"] == "error-rate" and told["looks"][-1]["phase"] == "Failed"
    assert api_of(lin).post(address, {}, format="json").status_code in (400, 422)
    assert api_of(lin).post(address, {"yaml": "steps: [{setWeight: 7}]"}, format="json").status_code in (400, 422)
    assert api_of(mallory).post(address, {"policy": errors().written()}, format="json").status_code == 404

"""Rollouts when things go wrong: a worker that dies in the middle, two engineers at once, a candidate that comes meanwhile."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.projects.models import Project
from apps.releases.models import AnalysisLook, Rollout, RolloutPhase
from apps.releases.rollouts import moving
from apps.releases.rollouts.moving import rollout_advance, rollouts_advance
from apps.releases.rollouts.services import release_start
from apps.releases.selectors import candidate_of, served
from apps.releases.services import AlreadyChampion, RolloutUnderWay
from tests.conftest import NOON
from tests.labeling.conftest import at_once
from tests.releases.rollouts.test_services import CANARY, MINUTE, policy, ready, released
from tests.releases.rollouts.traffic import asked
from tests.rows import model

__all__ = ["ready"]


@pytest.mark.parametrize("dies_in", ["_take", "step_enter", "rollout_record", "look_again"])
def test_a_worker_that_dies_in_the_middle_leaves_the_rollout_to_another(
    ready: Project, lin: User, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    """Wherever it dies, nothing of its turn is there; whoever looks next takes the same looks and goes on."""
    rollout = released(ready, lin)
    for minute in (1, 2, 3):
        asked(rollout, 2_000, NOON + minute * MINUTE - timedelta(seconds=1), first=minute * 2_000)
    before = (rollout.step, rollout.weight, rollout.phase)

    def dies(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(moving, dies_in, dies)
        with pytest.raises(KeyboardInterrupt):
            rollout_advance(rollout_id=rollout.pk, at=NOON + 3 * MINUTE)
    rollout.refresh_from_db()
    assert (rollout.step, rollout.weight, rollout.phase) == before and not AnalysisLook.objects.exists()
    rollouts_advance(at=NOON + 3 * MINUTE)
    rollout.refresh_from_db()
    assert AnalysisLook.objects.count() == 6 and (rollout.step, rollout.phase) == (2, RolloutPhase.PAUSED)


@pytest.mark.parametrize("while_one", ["refuse", "supersede"])
def test_a_candidate_that_comes_meanwhile_changes_nothing_until_it_is_released(
    ready: Project, lin: User, while_one: str
) -> None:
    policy(ready, lin, {**CANARY, "whileOne": while_one})
    rollout = released(ready, lin)
    third = model(ready, base=rollout.version.run)
    assert candidate_of(ready) == third
    assert served()[0].route and served()[0].route.version_number == 2
    if while_one == "refuse":
        with pytest.raises(RolloutUnderWay, match="v2 is on its way"):
            release_start(version=third, reason="", by=lin, at=NOON + MINUTE)
        assert Rollout.objects.get(ended_at=None) == rollout
    else:
        release_start(version=third, reason="", by=lin, at=NOON + MINUTE)
        assert Rollout.objects.get(ended_at=None).version == third
        rollout.refresh_from_db()
        assert (rollout.phase, rollout.message) == (RolloutPhase.DEGRADED, "v3 took its place.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("steps", [[{"setWeight": 100}], CANARY["steps"]], ids=["at once", "canary"])
def test_two_engineers_at_once_start_one_rollout(ready: Project, lin: User, alma: User, steps: list) -> None:
    policy(ready, lin, {"steps": steps})
    version, before = ready.model_versions.get(number=2), Rollout.objects.count()

    def releases(by: User) -> Callable[[], object]:
        return lambda: release_start(version=version, reason="", by=by, at=NOON + MINUTE)

    refused = at_once(releases(lin), releases(alma))
    assert Rollout.objects.count() == before + 1
    assert [type(cause) for cause in refused] in ([AlreadyChampion], [RolloutUnderWay])

"""Several predictors read the same rows: a release serves once all that live have it, and what one says stops a rollout."""

from datetime import timedelta

import pytest

from apps.monitoring.models import Alert
from apps.releases.models import Replica, RolloutPhase
from apps.releases.replicas import (
    LIVES,
    LOADS_WITHIN,
    PredictorsSeen,
    ReplicaState,
    predictors_seen,
    replica_seen,
    replicas_serve,
)
from apps.releases.rollouts.moving import rollouts_advance
from apps.releases.rollouts.services import rollout_pause
from apps.releases.services import model_promote
from tests.conftest import NOON
from tests.releases.rollouts.test_services import ready, released  # noqa: F401  a fixture
from tests.rows import labeled, model

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


def seen(name: str, number: int, at=NOON) -> None:
    replica_seen(name=name, state=ReplicaState({"loans": number}), at=at)


def test_a_release_serves_once_every_live_predictor_has_it():
    seen("a:1", 7)
    seen("b:1", 6)
    assert not replicas_serve(slug="loans", number=7, at=NOON)
    assert predictors_seen(slug="loans", number=7, at=NOON) == PredictorsSeen(live=2, serving=1)
    seen("b:1", 7, NOON + SECOND)
    assert replicas_serve(slug="loans", number=7, at=NOON + SECOND)
    assert Replica.objects.count() == 2 and Replica.objects.get(name="b:1").started_at == NOON


def test_a_dead_predictor_is_waited_for_by_nobody_and_forgotten_after_a_day():
    seen("a:1", 6)
    seen("b:1", 7, NOON + LIVES)
    assert replicas_serve(slug="loans", number=7, at=NOON + LIVES)
    seen("b:1", 7, NOON + timedelta(days=1, seconds=1))
    assert [replica.name for replica in Replica.objects.all()] == ["b:1"]


def test_the_models_page_says_how_many_predictors_have_it(project, lin, as_, monkeypatch):
    from django.utils import timezone

    labeled(project)
    model_promote(version=model(project), reason="", by=lin, at=NOON)
    for name, number in (("a:1", 1), ("b:1", 1), ("c:1", 9)):
        replica_seen(name=name, state=ReplicaState({project.slug: number}), at=timezone.now())
    page = as_(lin).get(f"/projects/{project.pk}/models/").content.decode()
    assert "2 of 3 predictors answer with it" in page
    broken = {project.slug: {"version": 1, "reason": "The model file cannot be read.", "since": NOON.isoformat()}}
    replica_seen(name="c:1", state=ReplicaState({}, broken), at=timezone.now())
    page = as_(lin).get(f"/projects/{project.pk}/models/").content.decode()
    assert "The predictor cannot load it" in page and "The model file cannot be read." in page


def test_a_canary_that_never_loads_ends_under_its_own_name(ready, lin):  # noqa: F811
    rollout = released(ready, lin)
    broken = {ready.slug: {"version": 2, "reason": "The model file cannot be read.", "since": NOON.isoformat()}}
    for wait, phase in ((LOADS_WITHIN - SECOND, RolloutPhase.PROGRESSING), (LOADS_WITHIN, RolloutPhase.DEGRADED)):
        replica_seen(name="a:1", state=ReplicaState({ready.slug: 1}, broken), at=NOON + wait)
        rollouts_advance(at=NOON + wait)
        rollout.refresh_from_db()
        assert rollout.phase == phase
    assert rollout.message == "v2 does not load: The model file cannot be read."
    assert Alert.objects.get(resolved_at=None).kind == "rollout"


@pytest.mark.parametrize(("version", "late"), [(1, 0.0), (2, 60.0)])
def test_another_versions_fault_and_a_dead_predictors_word_stop_nothing(ready, lin, version, late):  # noqa: F811
    rollout = released(ready, lin)
    broken = {ready.slug: {"version": version, "reason": "No.", "since": NOON.isoformat()}}
    now = NOON + LOADS_WITHIN + SECOND
    replica_seen(name="a:1", state=ReplicaState({}, broken), at=now - late * SECOND)
    rollouts_advance(at=now)
    rollout.refresh_from_db()
    assert rollout.phase == RolloutPhase.PROGRESSING


@pytest.mark.parametrize("paused", [False, True])
def test_what_a_predictor_gave_up_without_the_database_is_aborted_once_it_is_back(ready, lin, paused):  # noqa: F811
    """While it waits for a person too: its users met it until then."""
    rollout = released(ready, lin)
    if paused:
        rollout_pause(rollout=rollout, by=lin, at=NOON)
    given_up = {ready.slug: {"rollout": rollout.pk, "reason": "10 of its last 50 answers failed: CUDA error"}}
    replica_seen(name="a:1", state=ReplicaState({ready.slug: 1}, {}, given_up), at=NOON + SECOND)
    rollouts_advance(at=NOON + SECOND)
    rollout.refresh_from_db()
    assert (rollout.phase, rollout.weight) == (RolloutPhase.DEGRADED, 0)
    assert rollout.message == "A predictor gave v2 up: 10 of its last 50 answers failed: CUDA error"
    assert rollout.message_parts["values"]["number"] == 2, "it is said in the reader's language"

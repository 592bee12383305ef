"""When a simulated round may begin: once the queue is ordered by what is known."""

from datetime import timedelta
from typing import Any

import pytest

from apps.cases.simulation import attendance as attending
from apps.cases.simulation import waiting
from apps.cases.simulation.attendance import AWAY_S, NEEDED, Attendance
from apps.cases.simulation.waiting import SimulationStopped, Wait, ordered_after, ordered_cold, until, wait_for_order
from apps.features.models import EmbeddingShard
from apps.labeling.encoders import encoder_of
from apps.labeling.models import Frontier, ScoringPass, ScoringState
from apps.projects.models import Project
from fastloop_console.machine.celery import app
from tests import rows
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
S = timedelta(seconds=1)


def scored(project: Project, state: ScoringState = ScoringState.DONE, **more: Any) -> ScoringPass:
    return ScoringPass.objects.create(
        **{"project": project, "state": state, "strategy": "margin", "requested_at": NOON, **more}
    )


def shard(project: Project, held: int) -> EmbeddingShard:
    return EmbeddingShard.objects.create(
        project=project, number=1, encoder=encoder_of(project), url="file:///none", rows=held, dim=4, created_at=NOON
    )


def test_the_order_of_the_newest_model_is_waited_for(project: Project) -> None:
    rows.labeled(project)
    newest = rows.model(project)
    assert not ordered_after(project, newest)
    Frontier.objects.create(project=project, run_number=newest.run.number)
    assert ordered_after(project, newest)


def test_a_model_too_young_to_be_asked_has_a_cold_order(project: Project) -> None:
    rows.labeled(project)
    newest = rows.model(project)
    scored(project, requested_at=newest.created_at - S)
    assert not ordered_after(project, newest)
    scored(project, requested_at=newest.created_at + S)
    assert ordered_after(project, newest)


def test_a_scoring_under_way_when_the_model_came_counts_once_it_has_ended(project: Project) -> None:
    rows.labeled(project)
    newest = rows.model(project)
    one = scored(project, ScoringState.OPEN, requested_at=newest.created_at - S)
    assert not ordered_after(project, newest)
    one.state, one.finished_at = ScoringState.DONE, newest.created_at + S
    one.save()
    assert ordered_after(project, newest)
    scored(project, ScoringState.OPEN, requested_at=newest.created_at + 2 * S)
    assert not ordered_after(project, newest)


def test_a_failed_scoring_stops_the_simulation_with_its_sentence(project: Project) -> None:
    rows.labeled(project)
    newest = rows.model(project)
    scored(project, ScoringState.FAILED, requested_at=newest.created_at + S, sentence="The model is gone.")
    with pytest.raises(SimulationStopped, match="Scoring the pool failed: The model is gone"):
        ordered_after(project, newest)


def test_the_first_round_waits_for_all_vectors_and_a_scoring_of_them(project: Project) -> None:
    examples = rows.labeled(project, 4)
    assert not ordered_cold(project)
    held = shard(project, len(examples) - 1)
    one = scored(project, finished_at=NOON + S)
    assert not ordered_cold(project)
    EmbeddingShard.objects.filter(pk=held.pk).update(rows=len(examples))
    assert ordered_cold(project)
    ScoringPass.objects.filter(pk=one.pk).update(finished_at=NOON - S)
    assert not ordered_cold(project)


def test_a_scoring_that_began_before_the_last_vectors_came_counts_once_it_has_ended(project: Project) -> None:
    shard(project, len(rows.labeled(project, 4)))
    one = scored(project, ScoringState.OPEN, requested_at=NOON - S)
    assert not ordered_cold(project)
    one.state, one.finished_at = ScoringState.FAILED, NOON + S  # people begin without an order then
    one.save()
    assert ordered_cold(project)
    scored(project, ScoringState.OPEN, requested_at=NOON + S)
    assert not ordered_cold(project)


def test_people_begin_without_an_order_where_none_comes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "COLD_WITHIN_S", 0.05)
    wait_for_order(project)
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.05)
    with pytest.raises(SimulationStopped, match="for the moon"):
        until(lambda: None, "the moon")


def test_a_long_wait_says_what_it_waits_for_and_then_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(attending, "present", lambda: set(NEEDED))
    wait = Wait(lambda: "training run 3")
    for second in range(61):
        clock[0] = float(second)
        wait.look()
    assert capsys.readouterr().err.splitlines() == [
        f"Waiting for training run 3, {seconds} s so far." for seconds in (5, 10, 20, 40)
    ]


def test_who_is_away_for_a_minute_ends_the_wait_and_who_comes_back_does_not() -> None:
    watched, everybody = Attendance(), set(NEEDED)
    assert watched.why_in_vain(now=0.0, here=everybody) == ""
    assert watched.why_in_vain(now=AWAY_S - 1, here={"default"}) == ""
    assert watched.why_in_vain(now=AWAY_S, here=everybody) == ""
    assert watched.why_in_vain(now=2 * AWAY_S - 1, here={"default", "predictor"}) == ""
    assert (
        watched.why_in_vain(now=2 * AWAY_S, here={"default", "predictor"})
        == "The training worker has not answered for 60 s."
    )


def test_a_wait_without_workers_ends_long_before_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "ATTENDANCE_EVERY_S", 0.01)
    monkeypatch.setattr(attending, "AWAY_S", 0.05)
    monkeypatch.setattr(attending, "present", lambda: {"training", "default"})
    monkeypatch.setattr(waiting, "attendance", Attendance())
    with pytest.raises(SimulationStopped) as stopped:
        until(lambda: None, "v3 to serve")
    assert str(stopped.value).startswith("Gave up waiting for v3 to serve: The predictor has not answered for ")


def test_a_worker_that_does_not_stay_up_ends_the_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Attendance()
    watched.gave_up = lambda: "training"
    monkeypatch.setattr(waiting, "ATTENDANCE_EVERY_S", 0.01)
    monkeypatch.setattr(waiting, "attendance", watched)
    with pytest.raises(SimulationStopped, match="The training worker does not stay up; its lines above say why"):
        until(lambda: None, "the moon")


def test_only_workers_and_a_predictor_of_this_console_are_present(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [{"training@vm": {"ok": "pong"}}, {"other@vm": {"ok": "pong"}}]
    monkeypatch.setattr(app.control, "ping", lambda timeout: answers)
    for state, here in (("ours", {"training", "predictor"}), ("foreign", {"training"}), ("absent", {"training"})):
        monkeypatch.setattr(attending.wiring.predictor, "state", lambda state=state: state)
        assert attending.present() == here

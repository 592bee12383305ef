"""Enough labels start one run; its model is released by the project's policy; better on the slice, it closes the alarm."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.audit.models import Event
from apps.errors import DomainError
from apps.evaluation.models import Outcome
from apps.labeling.lineage import labels_now
from apps.labeling.models import DriftExample
from apps.loop.mending.closing import slice_measured
from apps.loop.mending.services import link_do
from apps.loop.models import MendingLink
from apps.monitoring.models import Alert
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from apps.releases.registry.rules import release_rules_set
from apps.releases.selectors import champion_of
from apps.releases.services import model_promote
from apps.training.models import Run, RunKind, RunState
from apps.work.names import Job
from tests import rows
from tests.loop.mending.conftest import HOUR, answered, labeled_as, mend, mending_of, step

Served, Raise, Does = Callable[..., ModelVersion], Callable[..., Alert], Callable[..., None]
MINUTE = timedelta(minutes=1)
LABELED = DriftExample.objects.filter(example__label__isnull=False)


@pytest.fixture
def laned(served: Served, does: Does, asked: Does, alarm: Raise, now: datetime) -> Alert:
    """v1 serves, an alarm with a lane of 60, and a policy by which everything goes by itself."""
    served(90)
    does(
        rollback={"mode": "off"},
        lane={"mode": "auto", "examples": 60},
        retrain={"mode": "auto", "labels": 40, "kind": "full"},
    )
    asked()
    alert = alarm()
    mend(now)
    return alert


def runs(project: Project) -> "list[Run]":
    return list(Run.objects.filter(project=project, trigger_type="drift"))


def trained(run: Run, outcome: Outcome = Outcome.PASS, *, at: datetime) -> ModelVersion:
    """The run as a worker ends it."""
    Run.objects.filter(pk=run.pk).update(
        state=RunState.COMPLETED, started_at=at, finished_at=at, label_names=["ham", "spam"], artifact_url="file:///m"
    )
    from apps.releases.services import candidate_register

    run.refresh_from_db()
    return candidate_register(run=run, report=rows.judged(run, outcome), at=at)


def measured(alert: Alert, version: ModelVersion, before: int, after: int, at: datetime, judges: int = 20) -> None:
    slice_measured(mending_id=alert.pk, number=version.number, judges=judges, before=before, after=after, at=at)


def champion(project: Project) -> int:
    found = champion_of(project)
    assert found is not None
    return found.number


def test_the_run_waits_for_its_labels_and_says_how_many_are_in(project: Project, laned: Alert, now: datetime) -> None:
    mend(now)
    assert step(laned, "retrain") == ("waiting", "0 of 40 labels are in; then a run starts.")
    answered(project, laned, 39, at=now)
    mend(now + 400 * HOUR)
    assert step(laned, "retrain")[1].startswith("39 of 40") and not runs(project), "no labels come: nothing starts"
    answered(project, laned, 1, at=now)
    for later in range(3):
        mend(now + later * MINUTE)
    [run] = runs(project)
    assert run.kind == RunKind.FULL and f"40 labels of alarm {laned.pk} are in." in run.trigger
    assert step(laned, "retrain")[0] == "done"


def test_the_whole_circle_ends_with_a_closed_alarm_and_its_figure(
    project: Project, laned: Alert, now: datetime
) -> None:
    answered(project, laned, 60, at=now)
    mend(now + HOUR)
    [run] = runs(project)
    version = trained(run, at=now + HOUR)
    mend(now + 2 * HOUR)
    assert step(laned, "release") == ("waiting", f"v{version.number} is measured on the slice.")
    measured(laned, version, 12, 18, now + 2 * HOUR)
    mend(now + 3 * HOUR + 10 * MINUTE)
    assert champion(project) == version.number
    laned.refresh_from_db()
    assert laned.resolved_at is not None and laned.resolved_by is None
    figure = "accuracy on the slice 60 % → 90 %, by 20 labels"
    assert laned.note == f"Closed by itself: {figure}, 3 h 10 min after the alarm, 60 labels."
    assert step(laned, "closing") == ("done", laned.note) and step(laned, "release")[0] == "done"
    links = [e.after["link"] for e in Event.objects.filter(verb="alert.followed").order_by("pk")]
    assert links == ["lane", "retrain", "release", "closing"]
    assert len([r for r in labels_now(project) if not r.holdout]) == 16 + 60, "closed, all may be learned from"


def test_a_model_that_is_worse_on_the_slice_is_not_released_by_itself(
    project: Project, laned: Alert, now: datetime
) -> None:
    answered(project, laned, 60, at=now)
    mend(now)
    version = trained(runs(project)[0], at=now)
    mend(now)
    measured(laned, version, 12, 11, now)
    mend(now)
    state, words = step(laned, "release")
    assert state == "proposed" and "is worse on the slice" in words and champion(project) == 1


@pytest.mark.parametrize(("outcome", "state"), [(Outcome.INCONCLUSIVE, "proposed"), (Outcome.FAIL, "waiting")])
def test_only_what_passed_its_gates_is_released_by_itself(
    project: Project, laned: Alert, now: datetime, outcome: Outcome, state: str
) -> None:
    answered(project, laned, 60, at=now)
    mend(now)
    version = trained(runs(project)[0], outcome, at=now)
    mend(now)
    measured(laned, version, 12, 18, now)
    mend(now)
    assert step(laned, "release")[0] == state and champion(project) == 1


def test_a_second_person_is_not_passed_over(project: Project, laned: Alert, now: datetime, mona: User) -> None:
    release_rules_set(project=project, approval="second-person", alias_roles={}, by=mona, at=now)
    answered(project, laned, 60, at=now)
    mend(now)
    version = trained(runs(project)[0], at=now)
    mend(now)
    measured(laned, version, 12, 18, now)
    mend(now), mend(now + MINUTE)
    state, words = step(laned, "release")
    assert state == "proposed" and "second person" in words and champion(project) == 1


def test_labels_that_say_what_was_answered_close_the_alarm_without_a_run(
    project: Project, laned: Alert, now: datetime
) -> None:
    answered(project, laned, 59, at=now, label="ham")
    mend(now)
    laned.refresh_from_db()
    told = LABELED.filter(alert_number=laned.pk, judges=False, by_chance=True).count()
    assert 20 <= told < 40 and not runs(project) and step(laned, "retrain")[0] == "nothing"
    words = f"0 of {told} labels contradict what was answered, not surely more than the usual 10 %."
    assert laned.resolved_at is not None and laned.note == f"Closed by itself. {words}"
    assert step(laned, "closing") == ("done", laned.note)
    assert (laned.verdict, laned.verdict_words) == ("false", words), "it is judged by then"
    assert len([r for r in labels_now(project) if not r.holdout]) == 16 + 59, "its labels may be learned from"


def test_where_somewhat_more_are_wrong_the_rest_of_the_lane_decides(
    project: Project, laned: Alert, now: datetime
) -> None:
    drawn = DriftExample.objects.filter(alert_number=laned.pk, judges=False, by_chance=True).order_by("pk")
    for number, each in enumerate(drawn):
        labeled_as(project, each.example, "spam" if number < 4 else "ham", at=now)
    answered(project, laned, 14, at=now, label="ham")
    mend(now)
    state, words = step(laned, "retrain")
    assert state == "waiting" and words.startswith("4 of 26 labels contradict") and "usual is 10 %" in words
    assert not runs(project)
    answered(project, laned, 60, at=now, label="ham")
    mend(now)
    laned.refresh_from_db()
    assert laned.resolved_at is not None and not runs(project)


def test_a_policy_may_train_on_the_labels_whatever_they_say(
    project: Project, laned: Alert, does: Does, now: datetime
) -> None:
    does(retrain={"mode": "auto", "labels": 40, "kind": "full", "where": "labeled"}, lane={"examples": 60})
    answered(project, laned, 60, at=now, label="ham")
    mend(now)
    assert len(runs(project)) == 1 and step(laned, "retrain")[0] == "done"


def test_a_failed_run_is_started_again_by_a_person_only(
    project: Project, laned: Alert, now: datetime, lin: User
) -> None:
    answered(project, laned, 60, at=now)
    mend(now)
    Run.objects.filter(pk=runs(project)[0].pk).update(state=RunState.FAILED, finished_at=now)
    mend(now), mend(now + HOUR)
    assert len(runs(project)) == 1 and step(laned, "retrain")[0] == "proposed"
    link_do(project=project, alert_id=laned.pk, link=MendingLink.RETRAIN, by=lin, at=now + HOUR)
    assert len(runs(project)) == 2 and step(laned, "retrain")[0] == "done"
    with pytest.raises(DomainError, match="was started for this alarm already"):
        link_do(project=project, alert_id=laned.pk, link=MendingLink.RETRAIN, by=lin, at=now + HOUR)


def test_while_another_run_is_on_it_waits_in_words(project: Project, laned: Alert, now: datetime) -> None:
    other = rows.started(project, at=now)
    answered(project, laned, 60, at=now)
    mend(now)
    assert step(laned, "retrain")[0] == "waiting" and f"Run {other.number} is queued" in step(laned, "retrain")[1]
    Run.objects.filter(pk=other.pk).update(state=RunState.CANCELED)
    mend(now + MINUTE)
    assert len(runs(project)) == 1


def test_another_model_that_was_released_meanwhile_is_measured_and_closes_it(
    project: Project, laned: Alert, now: datetime, lin: User
) -> None:
    answered(project, laned, 36, at=now)
    other = rows.model(project, at=now)
    model_promote(version=other, reason="", by=lin, at=now + HOUR)
    mend(now + HOUR)
    measured(laned, other, 6, 6, now + HOUR, judges=12)
    mend(now + HOUR)
    laned.refresh_from_db()
    assert laned.resolved_at is None and "does not mend it" in step(laned, "closing")[1]
    measured(laned, other, 6, 7, now + HOUR, judges=12)
    mend(now + HOUR)
    laned.refresh_from_db()
    assert laned.resolved_at is not None and "50 % → 58 %" in laned.note


def test_a_figure_of_a_model_that_is_not_the_one_any_more_is_not_kept(
    project: Project, laned: Alert, now: datetime, lin: User
) -> None:
    answered(project, laned, 60, at=now)
    mend(now)
    version = trained(runs(project)[0], at=now)
    later = rows.model(project, at=now)
    model_promote(version=later, reason="", by=lin, at=now + HOUR)
    measured(laned, version, 12, 18, now + HOUR)
    assert mending_of(laned).measured_number is None


def test_measuring_is_asked_for_again_where_the_worker_died(
    project: Project, laned: Alert, now: datetime, sent: rows.Sent, django_capture_on_commit_callbacks: Any
) -> None:
    answered(project, laned, 60, at=now)
    mend(now)
    trained(runs(project)[0], at=now)
    for minutes in (0, 1, 3):
        with django_capture_on_commit_callbacks(execute=True):
            mend(now + minutes * MINUTE)
    assert [name for name, _ in sent.jobs].count(str(Job.SLICE)) == 2

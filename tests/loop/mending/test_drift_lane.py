"""Logged requests of the drifted slice become examples that people are asked about: once, outside the holdout, with the reason."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.errors import DomainError
from apps.labeling.desk.presenters import why
from apps.labeling.lineage import labels_now
from apps.labeling.models import DriftExample, FrontierItem, Lane
from apps.labeling.selectors import counts_of
from apps.labeling.services.assignments import QueueRequest
from apps.labeling.services.queue import queue_next
from apps.loop import services as loop
from apps.loop.mending import drift_lane
from apps.loop.mending.services import link_do
from apps.loop.models import MendingLink
from apps.monitoring.models import Alert
from apps.monitoring.services import Reference, alert_resolve, drift_check
from apps.projects.models import Project
from apps.releases.models import ModelVersion
from tests.loop.mending.conftest import answered, mend, step

Served, Raise, Does = Callable[..., ModelVersion], Callable[..., Alert], Callable[..., None]
AUTO = {"mode": "auto", "examples": 60}
OFF = {"mode": "off"}


@pytest.fixture
def alarmed(served: Served, does: Does, asked: Does, alarm: Raise) -> Alert:
    """v1 serves, 90 kept requests, an alarm; the lane fills by itself with 60 of them."""
    served(90)
    does(lane=AUTO, rollback=OFF, retrain=OFF | {"labels": 40})
    asked()
    return alarm()


def test_the_lane_is_filled_by_itself_once_with_every_third_to_judge(
    project: Project, alarmed: Alert, now: datetime
) -> None:
    for later in range(3):
        mend(now + timedelta(seconds=later))
    made = DriftExample.objects.filter(alert_number=alarmed.pk)
    assert (made.count(), made.filter(judges=True).count()) == (60, 20)
    assert step(alarmed, "lane")[0] == "done" and "20 of them judge" in step(alarmed, "lane")[1]
    items = FrontierItem.objects.filter(project=project, lane=Lane.DRIFT).order_by("rank")
    assert items.count() == 60 and len({item.rank for item in items}) == 60
    reason = items[0].reason
    assert (reason["alert"], reason["columns"]) == (alarmed.pk, ["length of text"])
    assert not Example.objects.filter(drift__isnull=False, holdout=True).exists()


def test_people_get_them_at_the_desk_with_the_alarm_as_the_reason(
    project: Project, alarmed: Alert, now: datetime, ada: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        mend(now)
    [lease] = queue_next(QueueRequest(project=project, by=ada, count=1, at=now, seed=1, only=Lane.DRIFT))
    assert lease.lane == Lane.DRIFT and not lease.suggestion
    words = why(lease.lane, lease.reason, blind=False, label_names=["ham", "spam"])
    assert words.startswith("From the alarm of ") and words.endswith(": length of text.")
    assert not FrontierItem.objects.filter(example__drift__isnull=False).exclude(lane=Lane.DRIFT).exists()


def test_what_is_an_example_already_is_not_asked_again_and_the_holdout_is_left_alone(
    project: Project, alarmed: Alert, now: datetime
) -> None:
    project.holdout_share = 0.5
    project.save(update_fields=["holdout_share"])
    there = [{"id": f"n{i}", "text": f"new sort of letter {i}"} for i in range(70)]
    loop.batch_take(project=project, rows=there, source="test", by=None, at=now)
    held = Example.objects.filter(project=project, holdout=True).count()
    mend(now)
    assert DriftExample.objects.count() == 20
    shown = Example.objects.filter(drift__isnull=False).values_list("fields", flat=True)
    assert {fields["text"] for fields in shown} == {f"new sort of letter {i}" for i in range(70, 90)}
    assert Example.objects.filter(project=project, holdout=True).count() == held


def test_where_all_are_examples_it_says_so(project: Project, alarmed: Alert, now: datetime) -> None:
    there = [{"id": f"n{i}", "text": f"new sort of letter {i}"} for i in range(90)]
    loop.batch_take(project=project, rows=there, source="test", by=None, at=now)
    mend(now)
    assert step(alarmed, "lane") == (
        "nothing",
        "All 90 requests of its window that were kept are examples already, or cannot be.",
    )


def test_where_nothing_is_kept_it_says_what_to_set_and_goes_on_once_something_is(
    served: Served, does: Does, asked: Does, alarm: Raise, now: datetime, project: Project, mona: User
) -> None:
    served(90)
    does(lane=AUTO, rollback=OFF, retrain=OFF | {"labels": 40})
    asked(kept=False)
    alert = alarm()
    mend(now)
    state, words = step(alert, "lane")
    assert state == "waiting" and "The log keeps nothing" in words and "Feedback, Settings" in words
    with pytest.raises(DomainError, match="The log keeps nothing"):
        link_do(project=project, alert_id=alert.pk, link=MendingLink.LANE, by=mona, at=now)
    asked(n=40)
    mend(now)
    assert step(alert, "lane")[0] == "done" and DriftExample.objects.count() == 40


def test_proposed_one_click_asks(
    project: Project, served: Served, asked: Does, alarm: Raise, now: datetime, mona: User
) -> None:
    served(90), asked()
    alert = alarm()
    mend(now)
    assert step(alert, "lane")[0] == "proposed" and not DriftExample.objects.exists()
    link_do(project=project, alert_id=alert.pk, link=MendingLink.LANE, by=mona, at=now)
    assert DriftExample.objects.count() == 90
    with pytest.raises(DomainError, match="done already"):
        link_do(project=project, alert_id=alert.pk, link=MendingLink.LANE, by=mona, at=now)


def test_two_alarms_share_no_example(
    project: Project, served: Served, does: Does, asked: Does, alarm: Raise, now: datetime
) -> None:
    served(90)
    does(lane=AUTO, rollback=OFF, retrain=OFF | {"labels": 40})
    asked()
    first, second = alarm(), alarm(kind="loss")
    mend(now)
    counts = [DriftExample.objects.filter(alert_number=a.pk).count() for a in (first, second)]
    assert counts == [60, 30]


def test_a_worker_that_is_killed_in_the_middle_leaves_nothing_half(
    alarmed: Alert, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(drift_lane.datasets, "ingestion_close", killed)
        with pytest.raises(SystemExit):
            mend(now)
    assert not DriftExample.objects.exists() and step(alarmed, "lane") == ("", "")
    mend(now)
    assert DriftExample.objects.count() == 60


def test_nothing_trains_on_the_labels_that_judge_until_the_alarm_is_closed(
    project: Project, alarmed: Alert, now: datetime, mona: User
) -> None:
    before = len(labels_now(project))
    fresh = counts_of(project).fresh
    mend(now)
    answered(project, alarmed, 60, at=now)
    assert len(labels_now(project)) == before + 40 and counts_of(project).fresh == fresh + 40
    judging = DriftExample.objects.filter(judges=True).first()
    assert judging is not None
    Example.objects.filter(pk=judging.pk).update(content_digest="d" * 32)
    copy = Example.objects.filter(drift=None, label__holdout=False).first()
    assert copy is not None
    Example.objects.filter(pk=copy.pk).update(content_digest="d" * 32)
    assert copy.pk not in {row.example_id for row in labels_now(project)}, "what shows the same is kept out too"
    alert_resolve(project=project, alert_id=alarmed.pk, note="A holiday.", by=mona, at=now)
    mend(now)
    assert len(labels_now(project)) == before + 60


def test_a_lane_of_an_alarm_that_was_resolved_by_hand_asks_nobody_any_more(
    project: Project, alarmed: Alert, now: datetime, mona: User, ada: User
) -> None:
    mend(now)
    queue_next(QueueRequest(project=project, by=ada, count=1, at=now, seed=1, only=Lane.DRIFT))
    alert_resolve(project=project, alert_id=alarmed.pk, note="A holiday.", by=mona, at=now)
    mend(now)
    assert FrontierItem.objects.filter(lane=Lane.DRIFT).count() == 1, "what somebody holds is theirs to answer"
    assert not DriftExample.objects.filter(released_at=None).exists()


def test_only_what_the_model_of_the_alarm_answered_is_asked_about(
    served: Served, does: Does, asked: Does, alarm: Raise, now: datetime
) -> None:
    served(90)
    does(lane=AUTO, rollback=OFF, retrain=OFF | {"labels": 40})
    asked(model=7)
    alert = alarm()
    mend(now)
    assert step(alert, "lane")[0] == "nothing" and not DriftExample.objects.exists()


def texts(alert: Alert) -> set[str]:
    asked = Example.objects.filter(drift__alert_number=alert.pk).values_list("fields", flat=True)
    return {fields["text"] for fields in asked}


def test_only_requests_in_the_part_of_a_column_that_moved_are_asked_about(
    served: Served, does: Does, asked: Does, alarm: Raise, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(90), asked()
    does(lane=AUTO, rollback=OFF, retrain=OFF | {"labels": 40})
    learned = [f"new sort of letter {i}" for i in range(10)] * 9 + ["new sort of letter 10"]
    monkeypatch.setattr(drift_lane, "_learned", lambda mending: {"text": learned})
    alert = alarm()
    mend(now)
    assert len(texts(alert)) == 60 and texts(alert) <= {f"new sort of letter {i}" for i in range(10, 90)}


def test_where_answers_moved_those_that_came_more_often_are_asked_about(
    served: Served, does: Does, asked: Does, alarm: Raise, now: datetime
) -> None:
    served(90), asked(spam_from=50)
    does(lane=AUTO, rollback=OFF, retrain=OFF | {"labels": 40})
    shares = {"names": ["ham", "spam"], "reference": [0.9, 0.1], "window": [0.55, 0.45]}
    alert = alarm(features=[{"name": "class_mix", "drifted": True, "parts": shares}])
    mend(now)
    assert texts(alert) == {f"new sort of letter {i}" for i in range(50, 90)}
    item = FrontierItem.objects.filter(lane=Lane.DRIFT).first()
    assert item is not None and item.reason["columns"] == []
    assert why(Lane.DRIFT, item.reason, blind=False, label_names=["ham", "spam"]).endswith(": drift.")


def test_an_alarm_of_a_drift_check_has_a_slice_too(
    project: Project, served: Served, does: Does, asked: Does, now: datetime
) -> None:
    served(90), asked(spam_from=50)
    does(severity="warns", lane=AUTO, rollback=OFF, retrain=OFF | {"labels": 40})
    said = Reference(["ham", "spam"], ["ham"] * 90 + ["spam"] * 10, [0.7] * 100)
    check = drift_check(project=project, model_number=1, reference=said, at=now, seed=1)
    assert check.outcome == "drift"
    alert = Alert.objects.get(project=project, resolved_at=None)
    mend(now)
    assert texts(alert) and texts(alert) <= {f"new sort of letter {i}" for i in range(50, 90)}

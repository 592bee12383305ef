"""The look of all monitors: each window once, no broken one stops another, one alarm a cause, none while a release is young."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.monitoring.log.services import LoggedPrediction, predictions_record
from apps.monitoring.models import Alert, DriftCheck, MonitorReading, Prediction
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.monitors.recording import alarm_raise, readings_forget
from apps.monitoring.monitors.windows import MOST_BEHIND, windows_due
from apps.monitoring.services import alert_raise, alert_resolve
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.rules.monitors import MONITORS, MonitorCause
from tests.conftest import NOON
from tests.monitoring.monitors.conftest import LEARNED, MIDNIGHT, SERVES, answered, asked, came_back, look, reference

Watched = Callable[..., Project]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIX = {"type": "class_mix"}


def outcomes(readings: list[MonitorReading]) -> list[tuple[str, str]]:
    return [(each.monitor, each.outcome) for each in readings]


# Windows


def test_windows_lie_end_to_end_and_only_the_newest_ended_ones_are_due() -> None:
    at = MIDNIGHT + 5 * HOUR
    due = list(windows_due(at=at, length=DAY, judged_until=None, begins=SERVES))
    assert [until for _, until in due] == [MIDNIGHT - 2 * DAY, MIDNIGHT - DAY, MIDNIGHT]
    assert len(due) == MOST_BEHIND and all(until - since == DAY for since, until in due)
    assert list(windows_due(at=at, length=DAY, judged_until=MIDNIGHT, begins=SERVES)) == []
    assert [u for _, u in windows_due(at=at, length=DAY, judged_until=None, begins=MIDNIGHT - HOUR)] == [MIDNIGHT]


def test_a_window_is_judged_once(watched: Watched) -> None:
    project = watched(MIX)
    answered(project, MIDNIGHT)
    first = look(project, MIDNIGHT + HOUR)
    assert outcomes(first) == [("class_mix", "too-few"), ("class_mix", "too-few"), ("class_mix", "fine")]
    assert first[-1].n_window == 200 and first[-1].sentence == "As it was, in 200 rows."
    assert look(project, MIDNIGHT + 2 * HOUR) == []
    assert outcomes(look(project, MIDNIGHT + DAY)) == [("class_mix", "too-few")]


def test_two_looks_in_the_same_second_keep_one_reading(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    project = watched(MIX)
    answered(project, MIDNIGHT, ["ham"])
    look(project, MIDNIGHT)
    # The second one asked what is due before the first had written.
    monkeypatch.setattr("apps.monitoring.monitors.looking._last_judged", lambda *_: None)
    look(project, MIDNIGHT)
    assert MonitorReading.objects.filter(until=MIDNIGHT).count() == 1
    assert Alert.objects.get().monitors == ["class_mix"]


# Alarms


def test_a_changed_mix_raises_one_alert_that_names_its_monitor(watched: Watched) -> None:
    project = watched(MIX)
    answered(project, MIDNIGHT, ["ham"])
    reading = look(project, MIDNIGHT)[-1]
    alert = Alert.objects.get()
    assert (alert.kind, alert.title, alert.severity, alert.monitors) == ("drift", "Drift", "warns", ["class_mix"])
    assert alert.detail == "“ham” went from 50 % to 100 % of predictions." and alert.parts
    assert (alert.window_since, alert.window_until) == (MIDNIGHT - DAY, MIDNIGHT)
    reading.refresh_from_db()
    assert reading.alert == alert and reading.score is not None and reading.score >= (reading.threshold or 0)


def test_many_monitors_of_one_cause_raise_one_alert_and_those_of_another_one_of_their_own(watched: Watched) -> None:
    project = watched(MIX, {"type": "column-drift"}, {"type": "data-quality"})
    answered(project, MIDNIGHT, ["ham"])
    asked(project, MIDNIGHT, [{"age": 59, "city": "Kyiv"}] * 60)
    look(project, MIDNIGHT)
    drift, quality = Alert.objects.order_by("kind").reverse()
    assert (drift.kind, drift.monitors) == ("drift", ["class_mix", "column-drift"])
    assert "2 of 2 moved." in drift.detail
    assert (quality.kind, quality.monitors) == ("data-quality", ["data-quality"])


def test_the_next_raised_window_is_seen_again_and_opens_no_second_alert(watched: Watched) -> None:
    project = watched(MIX)
    for day in range(2):
        answered(project, MIDNIGHT + day * DAY, ["ham"])
        look(project, MIDNIGHT + day * DAY)
    alert = Alert.objects.get()
    assert (alert.times_seen, alert.window_until) == (2, MIDNIGHT + DAY)
    assert alert.readings.count() == 2


def test_a_resolved_alert_rings_again_only_from_a_window_that_ends_later(watched: Watched, mona: User) -> None:
    project = watched(MIX)
    answered(project, MIDNIGHT, ["ham"])
    look(project, MIDNIGHT)
    alert_resolve(project=project, alert_id=Alert.objects.get().pk, note="A sale.", by=mona, at=MIDNIGHT + HOUR)
    MonitorReading.objects.all().delete()
    look(project, MIDNIGHT + 2 * HOUR)
    assert not Alert.objects.filter(resolved_at=None).exists()
    answered(project, MIDNIGHT + DAY, ["ham"])
    look(project, MIDNIGHT + DAY)
    assert Alert.objects.filter(resolved_at=None).count() == 1


def test_two_of_three_windows_alarm_and_one_alone_does_not(watched: Watched) -> None:
    project = watched({**MIX, "raisedWindows": 2, "ofWindows": 3})
    for day, labels in enumerate((["ham"], ["ham", "spam"], ["ham"])):
        answered(project, MIDNIGHT + day * DAY, labels)
        assert look(project, MIDNIGHT + day * DAY)[-1].outcome == ("raised" if labels == ["ham"] else "fine")
        assert Alert.objects.count() == (1 if day == 2 else 0)


def test_nothing_alarms_while_a_release_is_young_but_it_is_read(watched: Watched) -> None:
    project = watched(MIX, cooldown="2d")
    answered(project, MIDNIGHT, ["ham"])
    assert look(project, MIDNIGHT, serves_since=MIDNIGHT - DAY)[-1].outcome == "raised"
    assert not Alert.objects.exists()
    answered(project, MIDNIGHT + 2 * DAY, ["ham"])
    look(project, MIDNIGHT + 2 * DAY, serves_since=MIDNIGHT - DAY)
    assert Alert.objects.exists()


def test_answers_of_another_model_and_of_to_come_are_not_read(watched: Watched) -> None:
    project = watched(MIX)
    answered(project, MIDNIGHT + DAY, ["ham"])
    answered(project, MIDNIGHT, ["ham"])
    Prediction.objects.filter(at__lte=MIDNIGHT).update(model_number=2)
    assert outcomes(look(project, MIDNIGHT))[-1] == ("class_mix", "too-few")


# What is broken, off or not there


def test_a_monitor_that_breaks_says_so_and_stops_no_other(watched: Watched, caplog: Any) -> None:
    def broken() -> Any:
        raise RuntimeError("the shard is gone")

    project = watched({"type": "column-drift"}, MIX)
    answered(project, MIDNIGHT, ["ham"])
    asked(project, MIDNIGHT, [{"age": 30}] * 60)
    rows = reference().learned
    found = look(project, MIDNIGHT, learned=type(rows)(columns=broken, vectors=rows.vectors))
    assert {o for m, o in outcomes(found) if m == "column-drift"} == {"broken"}
    assert outcomes(found)[-1] == ("class_mix", "raised")
    assert "It broke: RuntimeError." in [each.sentence for each in found] and "the shard is gone" in caplog.text


def test_a_monitor_whose_column_vanished_is_off_in_words(watched: Watched) -> None:
    project = watched({"type": "column-drift", "parameters": {"columns": ["salary"]}})
    asked(project, MIDNIGHT, [{"age": 30}] * 60)
    last = look(project, MIDNIGHT)[-1]
    assert (last.outcome, last.sentence) == ("off", "The column “salary” is not in what the model learned from.")


def test_where_the_log_keeps_nothing_columns_and_vectors_are_off(watched: Watched) -> None:
    project = watched({"type": "column-drift"}, {"type": "embedding-drift"}, {"type": "fairness-drift"})
    answered(project, MIDNIGHT)
    assert {o for _, o in outcomes(look(project, MIDNIGHT))} == {"off"}


def test_without_a_policy_predictions_are_the_drift_checks_and_the_rest_is_watched(project: Project) -> None:
    answered(project, MIDNIGHT, ["ham"])
    assert {each.monitor for each in look(project, MIDNIGHT + DAY)} == {"volume", "performance"}
    assert MONITORS["volume"].standing and not Alert.objects.exists()


def test_a_monitor_that_is_off_reads_nothing(watched: Watched) -> None:
    project = watched({**MIX, "on": False}, {"type": "confidence"})
    answered(project, MIDNIGHT)
    assert {each.monitor for each in look(project, MIDNIGHT)} == {"confidence"}


# Volume, losses, columns


def test_silence_at_hours_that_are_usually_busy_alarms(watched: Watched) -> None:
    project = watched({"type": "volume"})
    for week in range(1, 5):
        answered(project, MIDNIGHT - week * 7 * DAY, n=60 * 8, hours=24)
    found = look(project, MIDNIGHT)
    assert [each.outcome for each in found] == ["raised"] * 3
    alert = Alert.objects.get()
    assert alert.kind == "volume" and "No request for 3 h where 60 are usual." in alert.detail


def test_as_many_as_usual_is_no_alarm(watched: Watched) -> None:
    project = watched({"type": "volume"})
    for week in range(5):
        answered(project, MIDNIGHT - week * 7 * DAY, n=60 * 8, hours=24)
    assert [each.outcome for each in look(project, MIDNIGHT)] == ["fine"] * 3


def test_labels_that_say_wrong_more_often_alarm_once_they_are_mature(watched: Watched) -> None:
    project = watched({"type": "performance"})
    came_back(project, MIDNIGHT - DAY, [1, 1, 1, 1, 1, 1, 1, 1, 1, 0] * 40, hours=20)
    came_back(project, MIDNIGHT, [0, 1] * 60, hours=0.9)
    assert Alert.objects.count() == 0
    early = look(project, MIDNIGHT + HOUR)
    assert all(each.until <= MIDNIGHT - DAY + HOUR for each in early) and not Alert.objects.exists()
    late = look(project, MIDNIGHT + DAY)
    assert late[-1].outcome == "raised" and late[-1].n_window == 120
    alert = Alert.objects.get()
    assert (alert.kind, alert.severity, alert.title) == ("loss", "alarms", "Wrong answers")


def test_losses_before_a_resolution_are_judged_and_do_not_count_again(watched: Watched, mona: User) -> None:
    project = watched({"type": "performance"})
    came_back(project, MIDNIGHT, [0, 1] * 100, hours=0.9)
    look(project, MIDNIGHT + DAY)
    alert_resolve(project=project, alert_id=Alert.objects.get().pk, note="Mended.", by=mona, at=MIDNIGHT + DAY)
    came_back(project, MIDNIGHT + DAY + HOUR, [1] * 100, hours=0.9)
    found = look(project, MIDNIGHT + 2 * DAY + HOUR)
    assert found[-1].outcome == "fine" and found[-1].score == 0


def test_answers_that_came_out_of_order_are_read_as_those_in_order(watched: Watched) -> None:
    project = watched({"type": "class_mix"})
    rows = [
        LoggedPrediction(project.pk, f"o{n}", MIDNIGHT - timedelta(minutes=n), 1, ("ham", "spam")[n % 2], 0.9, 1.0)
        for n in range(200)
    ]
    late = [replace(row, at=MIDNIGHT + HOUR) for row in rows[:40]]  # of the time to come: of no window yet
    predictions_record(rows=[*rows[::2], *late, *rows[1::2][::-1]])
    [reading] = [each for each in look(project, MIDNIGHT) if each.until == MIDNIGHT]
    assert (reading.n_window, reading.outcome) == (200, "fine")


def test_two_alarms_of_one_cause_in_one_second_are_one_alert(watched: Watched) -> None:
    project = watched(MIX, {"type": "confidence"})
    answered(project, MIDNIGHT, ["ham"])
    [reading] = [each for each in look(project, MIDNIGHT) if each.outcome == "raised"]
    settings = policy_in_force(MONITOR_POLICY, project).monitors[0]
    first = Alert.objects.get()
    for _ in range(2):
        again = alarm_raise(project=project, cause=MonitorCause.DRIFT, found=[(settings, reading)], at=MIDNIGHT)
        assert again is not None and again.pk == first.pk
    assert Alert.objects.get().times_seen == 3
    other = alarm_raise(project=project, cause=MonitorCause.QUALITY, found=[(settings, reading)], at=MIDNIGHT)
    assert other is not None and other.pk != first.pk


def test_kept_requests_like_those_it_learned_from_are_as_they_were(watched: Watched) -> None:
    project = watched({"type": "column-drift"}, {"type": "data-quality"})
    rows = [{"age": age, "city": city} for age, city in zip(LEARNED["age"], LEARNED["city"], strict=True)]
    asked(project, MIDNIGHT, rows)
    assert [each.outcome for each in look(project, MIDNIGHT)][-1] == "fine"
    reading = MonitorReading.objects.get(monitor="column-drift", until=MIDNIGHT)
    assert {f["name"] for f in reading.features} == {"age", "city"} and reading.n_window == 200


def test_a_champion_that_cannot_be_read_breaks_its_windows_and_not_the_look(watched: Watched) -> None:
    def gone() -> Any:
        raise OSError("storage is away")

    project = watched(MIX)
    assert {each.sentence for each in look(project, MIDNIGHT, holdout=gone)} == {"It broke: OSError."}


def test_readings_and_checks_of_more_than_a_year_ago_go_but_those_an_alarm_stands_on(project: Project) -> None:
    def check() -> DriftCheck:
        about = {"model_number": 1, "window": 9, "outcome": "none", "statistics": [], "sentence": "x"}
        return DriftCheck.objects.create(project=project, at=NOON, **about)

    def reading(monitor: str, alert: Alert | None) -> None:
        MonitorReading.objects.create(
            project=project,
            monitor=monitor,
            type="volume",
            policy_number=0,
            model_number=1,
            since=NOON,
            until=NOON,
            at=NOON,
            outcome="fine",
            sentence="x",
            alert=alert,
        )

    stands = check()
    check()
    alert = alert_raise(project=project, kind="drift", title="Drift", detail="It moved.", check=stands, at=NOON)
    reading("a", alert)
    reading("b", None)
    assert readings_forget(at=NOON + timedelta(days=399)) == 0
    assert readings_forget(at=NOON + timedelta(days=401)) == 2
    assert DriftCheck.objects.get() == stands and MonitorReading.objects.get().monitor == "a"

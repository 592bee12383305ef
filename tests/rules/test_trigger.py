from datetime import UTC, datetime, timedelta

import pytest

from apps.rules.trigger import due

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
READY = {
    "new_labels": 50,
    "needed": 50,
    "last_label_at": NOW - timedelta(seconds=90),
    "last_run_at": NOW - timedelta(hours=1),
    "debounce_s": 60.0,
    "run_open": False,
}


def test_enough_labels_and_a_pause_start_a_run():
    decision = due(NOW, **READY)
    assert decision.fire
    assert decision.reason == "50 new labels since the last run; 50 were needed."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"new_labels": 49}, "49 of 50 new labels."),
        ({"new_labels": 0, "needed": 0}, "0 of 1 new label."),
        ({"run_open": True}, "A run is open; 50 new labels wait for the next."),
        ({"last_label_at": NOW - timedelta(seconds=59)}, "50 new labels, and more are coming in."),
        ({"last_run_at": NOW - timedelta(seconds=59)}, "The last run started less than 60 s ago."),
    ],
)
def test_each_condition_alone_holds_a_run_back(change, reason):
    decision = due(NOW, **READY | change)
    assert (decision.fire, decision.reason) == (False, reason)


def test_people_who_never_pause_do_not_starve_training():
    assert due(NOW, **READY | {"new_labels": 100, "last_label_at": NOW}).fire


def test_the_first_run_needs_no_run_before_it():
    assert due(NOW, **READY | {"last_run_at": None, "last_label_at": None}).fire

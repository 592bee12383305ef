"""Position and expected start of queued runs."""

from apps.rules.queueing import QueuePlace, RunUnderWay, Waiting, places


def test_an_idle_worker_takes_the_first_at_once_and_the_second_after_it() -> None:
    assert places([], [Waiting(1, 1, 60.0), Waiting(2, 1, 30.0)], {}) == {1: QueuePlace(1, 0.0), 2: QueuePlace(2, 60.0)}


def test_another_project_does_not_wait_for_the_places_of_the_first() -> None:
    found = places([RunUnderWay(1, 50.0)], [Waiting(1, 1, 10.0), Waiting(2, 2, 10.0)], {}, workers=2)
    assert found[1].starts_in_s == 50.0
    assert found[2].starts_in_s == 0.0


def test_a_project_with_two_places_trains_two_at_once() -> None:
    queued = [Waiting(1, 1, 10.0), Waiting(2, 1, 10.0), Waiting(3, 1, 10.0)]
    assert [p.starts_in_s for p in places([], queued, {1: 2}, workers=4).values()] == [0.0, 0.0, 10.0]
    assert [p.starts_in_s for p in places([], queued, {1: 1}, workers=4).values()] == [0.0, 10.0, 20.0]


def test_behind_a_run_of_unknown_length_nobody_is_told_a_time() -> None:
    found = places([RunUnderWay(1, None)], [Waiting(1, 1, 10.0)], {})
    assert found[1] == QueuePlace(1, None)
    assert places([], [Waiting(1, 1, None), Waiting(2, 1, 5.0)], {})[2] == QueuePlace(2, None)


def test_an_estimate_that_has_run_out_is_now_and_not_in_the_past() -> None:
    assert places([RunUnderWay(1, -5.0)], [Waiting(1, 1, 10.0)], {})[1].starts_in_s == 0.0

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apps.rules.clock import STAGES, Forecast, NoForecast, cause, forecast, lap, nearest_rank, stage_totals

HOUR = 3600.0


def test_the_shown_label_is_the_ninth_of_ten():
    waits = np.arange(1, 11) * HOUR
    found = lap({"annotate": (waits, np.full(10, 60.0)), "train": (np.zeros(10), np.full(10, 30.0))})
    assert (found.count, found.p50_s, found.p90_s, found.max_s) == (10, 5 * HOUR + 90, 9 * HOUR + 90, 10 * HOUR + 90)
    assert stage_totals(found) == {"collect": 0, "annotate": 9 * HOUR + 60, "train": 30, "evaluate": 0, "deploy": 0}
    assert cause(found) == "annotate"
    assert found.medians[1].wait_s == 5.5 * HOUR
    assert found.waiting_share == pytest.approx(55 * HOUR / (55 * HOUR + 900))


def test_one_label_is_its_own_median_and_maximum():
    found = lap({"collect": (np.array([2.0]), np.array([1.0]))})
    assert found.p50_s == found.p90_s == found.max_s == 3.0


def test_clocks_that_disagree_cost_no_negative_time():
    found = lap({"collect": (np.array([-5.0]), np.array([2.0]))})
    assert (found.p90_s, found.waiting_share) == (2.0, 0.0)


def test_labels_that_took_no_time_have_no_waiting_share_to_divide():
    assert lap({"collect": (np.zeros(3), np.zeros(3))}).waiting_share == 0.0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30).flatmap(lambda n: arrays(np.float64, (2, len(STAGES), n), elements=st.floats(-1e3, 1e7))))
def test_the_shown_parts_add_up_to_the_shown_total_in_any_order(times):
    found = lap({stage: (times[0, row], times[1, row]) for row, stage in enumerate(STAGES)})
    parts = [seconds for part in found.shown for seconds in (part.wait_s, part.work_s)]
    assert sum(parts) == sum(reversed(parts)) == found.p90_s
    assert found.p50_s <= found.p90_s <= found.max_s


@pytest.mark.parametrize(("n", "rank"), [(1, 0), (2, 1), (9, 8), (10, 8), (11, 9), (100, 89)])
def test_nearest_rank_of_nine_in_ten(n, rank):
    assert nearest_rank(n, 0.9) == rank


@pytest.mark.parametrize(
    ("timelines", "sentence"),
    [
        ({}, "at least one label"),
        ({"collect": (np.array([]), np.array([]))}, "at least one label"),
        ({"monitor": (np.zeros(1), np.zeros(1))}, "No stage is called monitor"),
        ({"collect": (np.array([np.nan]), np.zeros(1))}, "not a number"),
    ],
)
def test_a_lap_that_cannot_be_summed_is_refused_in_words(timelines, sentence):
    with pytest.raises(ValueError, match=sentence):
        lap(timelines)


HISTORY = [{"train": 10.0, "evaluate": 5.0, "deploy": 5.0}] * 3


def test_a_forecast_adds_the_stages_to_come_to_the_age():
    assert forecast(100, "train", HISTORY, target_s=110) == Forecast(120.0, 120.0, 120.0, 1.0)
    assert forecast(100, "deploy", HISTORY, target_s=110) == Forecast(105.0, 105.0, 105.0, 0.0)


def test_time_already_spent_in_the_stage_is_not_counted_twice():
    assert forecast(100, "train", HISTORY, target_s=110, in_stage_s=4) == Forecast(116.0, 116.0, 116.0, 1.0)
    assert forecast(100, "train", HISTORY, target_s=110, in_stage_s=99) == Forecast(110.0, 110.0, 110.0, 0.0)


def test_the_chance_of_a_breach_is_the_share_of_past_laps_that_would():
    history = [{"deploy": seconds} for seconds in (10.0, 10.0, 10.0, 100.0)]
    found = forecast(0, "deploy", history, target_s=50)
    assert found.breach_chance == pytest.approx(0.25, abs=0.05)
    assert found.low_s <= found.expected_s <= found.high_s


def test_two_laps_are_no_history():
    assert forecast(0, "train", HISTORY[:2], 10) == NoForecast("A forecast needs 3 finished laps; there are 2.")

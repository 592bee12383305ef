from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rules import metrics

TRUTH = np.array([0, 0, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.3, 0.7, 0.0], [0.2, 0.8, 0.0]])


def test_values_are_those_computed_by_hand():
    found = metrics.measure(TRUTH, PROBABILITIES, seed=0)
    assert found.accuracy.value == 0.75
    # class 0: 1 hit of 2 true and 1 predicted -> 2/3; class 1: 2 hits of 2 and 3 -> 4/5; class 2 occurs nowhere
    assert found.macro_f1.value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found.log_loss.value == pytest.approx(-(log(0.9) + log(0.4) + log(0.7) + log(0.8)) / 4)
    # each row has a bin of its own: gaps 0.1, 0.6, 0.3, 0.2
    assert found.calibration_error.value == pytest.approx(1.2 / 4)
    assert found.confusion.tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert (found.n, found.majority_rate) == (4, 0.5)


def test_single_functions_agree_with_measure():
    assert metrics.accuracy(TRUTH, PROBABILITIES) == 0.75
    assert metrics.macro_f1(TRUTH, PROBABILITIES) == pytest.approx(11 / 15)
    assert metrics.log_loss(TRUTH, PROBABILITIES) == pytest.approx(0.4004, abs=1e-4)
    assert metrics.calibration_error(TRUTH, PROBABILITIES) == pytest.approx(0.3)


def test_calibration_error_averages_within_a_bin():
    rows = np.array([[0.81, 0.19]] * 4)
    assert metrics.calibration_error(np.array([0, 0, 0, 1]), rows) == pytest.approx(0.81 - 0.75)


def test_a_model_that_is_certain_and_wrong_costs_sixteen_nats_and_not_infinity():
    assert metrics.log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-log(1e-7))


def test_no_example_is_undefined_with_a_reason():
    found = metrics.measure(np.array([], dtype=int), np.zeros((0, 3)), seed=0)
    assert (found.accuracy.value, found.accuracy.reason) == (None, "No labeled example to measure on.")
    assert found.majority_rate is None


def test_one_example_has_values_and_no_interval():
    found = metrics.measure(np.array([1]), np.array([[0.2, 0.8]]), seed=0)
    assert (found.accuracy.value, found.accuracy.low, found.accuracy.high) == (1.0, None, None)
    assert found.accuracy.reason == "One example gives no interval."


def test_one_class_gives_numbers():
    found = metrics.measure(np.zeros(5, dtype=int), np.ones((5, 1)), seed=0)
    assert (found.accuracy.value, found.macro_f1.value, found.log_loss.value) == (1.0, 1.0, 0.0)


def test_a_probability_that_is_not_a_number_is_told_and_not_averaged():
    found = metrics.measure(np.array([0, 1]), np.array([[np.nan, 1.0], [0.5, 0.5]]), seed=0)
    assert found.log_loss.value is None
    assert found.log_loss.reason == "1 row of 2 hold a probability that is not a number."


def test_a_label_that_the_champion_does_not_know_has_probability_zero():
    aligned = metrics.align(np.array([[0.7, 0.3]]), ["cat", "dog"], ["dog", "emu", "cat"])
    assert aligned.tolist() == [[0.3, 0.0, 0.7]]
    assert metrics.log_loss(np.array([1]), aligned) == pytest.approx(-log(1e-7))
    assert metrics.accuracy(np.array([2]), np.array([[0.7, 0.3]])) == 0.0


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_nothing_is_ever_nan_and_the_value_lies_in_its_range(n, classes, seed):
    rng = np.random.default_rng(seed)
    truth, rows = rng.integers(classes, size=n), rng.dirichlet(np.ones(classes), size=n)
    found = metrics.measure(truth, rows, seed=seed, draws=20)
    for metric in (found.accuracy, found.macro_f1, found.calibration_error):
        assert 0 <= metric.value <= 1
        assert metric.low is None or 0 <= metric.low <= metric.high <= 1
    assert found.log_loss.value >= 0


def test_the_interval_of_an_accuracy_has_the_width_of_the_binomial():
    rng = np.random.default_rng(3)
    truth = rng.integers(2, size=1000)
    rows = np.where((rng.random(1000) < 0.8)[:, None], np.eye(2)[truth], np.eye(2)[1 - truth])
    found = metrics.measure(truth, rows, seed=0).accuracy
    assert found.high - found.low == pytest.approx(2 * 1.96 * (0.8 * 0.2 / 1000) ** 0.5, rel=0.1)


def test_two_equal_models_differ_by_nothing_and_have_equal_losses():
    found = metrics.compare(TRUTH, PROBABILITIES, PROBABILITIES, seed=0)
    assert found["accuracy"].value == 0.0
    assert (found["log_loss"].value, found["log_loss"].low, found["log_loss"].high) == (0.0, 0.0, 0.0)


def test_pairing_sees_a_small_gain_that_two_separate_intervals_would_hide():
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=500)
    champion = np.where((rng.random(500) < 0.8)[:, None], np.eye(2)[truth], np.eye(2)[1 - truth])
    mended = champion.copy()
    wrong = np.flatnonzero(champion.argmax(axis=1) != truth)[:15]
    mended[wrong] = np.eye(2)[truth[wrong]]
    difference = metrics.compare(truth, mended, champion, seed=0)["accuracy"]
    assert difference.value == pytest.approx(0.03)
    assert difference.low > 0
    separate = metrics.measure(truth, mended, seed=0).accuracy
    assert separate.low < metrics.measure(truth, champion, seed=0).accuracy.high


def test_the_same_seed_gives_the_same_interval():
    one, again = (metrics.measure(TRUTH, PROBABILITIES, seed=5) for _ in range(2))
    assert one == again


def test_forty_right_answers_are_no_proof_of_a_model_that_never_errs():
    truth = np.arange(40) % 2
    found = metrics.measure(truth, np.eye(2)[truth] * 0.8 + 0.1, seed=0)
    assert (found.accuracy.value, found.accuracy.low, found.accuracy.high) == (1.0, 1 - 3 / 40, 1.0)


def test_two_models_that_agree_on_forty_examples_may_still_differ_by_three_in_forty():
    truth = np.arange(40) % 2
    same = np.eye(2)[truth]
    gain = metrics.compare(truth, same, same, seed=0)["accuracy"]
    assert (gain.value, gain.low, gain.high) == (0.0, -3 / 40, 3 / 40)

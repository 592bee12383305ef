from math import exp

import numpy as np
import pytest

from apps.rules.lift import LearningCurve
from apps.rules.stopping import Agreement, Effort, StoppingLimits, advise, f1_change, stop_agreement

AGREED = [Agreement(0.99, 0.992, 1000)] * 3
ROWS = 1000


def curve(points, rows=ROWS):
    """(labels, share right); the models are right on the same rows and then some, so chance plays no part."""
    return LearningCurve(
        np.array([n for n, _ in points], dtype=np.int64),
        np.array([np.arange(rows) < round(share * rows) for _, share in points]).reshape(len(points), rows),
    )


def noisy(points, rows=ROWS, seed=0):
    rng, sure = np.random.default_rng(seed), curve(points, rows)
    return LearningCurve(sure.labels, np.array([rng.permutation(right) for right in sure.right]))


FLAT = curve([(400, 0.90), (500, 0.901), (600, 0.899), (700, 0.901), (800, 0.90)])
RISING = curve([(100, 0.70), (200, 0.75), (400, 0.80), (800, 0.85)])


def test_kappa_is_that_of_the_hand_computed_table():
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: (0.7 - 0.5) / (1 - 0.5)
    previous, current = np.repeat([0, 0, 1, 1], [20, 5, 10, 15]), np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    found = stop_agreement(previous, current, 2)
    assert (found.kappa, found.share, found.rows) == (pytest.approx(0.4), pytest.approx(0.7), 50)
    assert found.f1_change == 1.0


def test_models_that_never_differ_agree_fully():
    found = stop_agreement(np.array([0, 1, 2]), np.array([0, 1, 2]), 3)
    assert (found.kappa, found.f1_change, found.reason) == (pytest.approx(1.0), pytest.approx(0.0), "")


def test_an_undefined_agreement_says_why():
    one = stop_agreement(np.zeros(9, int), np.zeros(9, int), 2)
    assert (one.kappa, one.share) == (None, 1.0)
    assert one.reason == "Both models give every example the same label, so agreement says nothing."
    empty = stop_agreement(np.empty(0, int), np.empty(0, int), 2)
    assert (empty.kappa, empty.reason) == (None, "")


def test_answers_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="same examples"):
        stop_agreement(np.array([0]), np.array([0, 1]), 2)
    with pytest.raises(ValueError, match="outside the 2 classes"):
        stop_agreement(np.array([0, 2]), np.array([0, 1]), 2)


def test_the_bound_on_the_change_of_f1():
    assert f1_change(0.99) == pytest.approx(0.040404, abs=1e-6)
    assert f1_change(0.8) == pytest.approx(1.0)
    assert (f1_change(1.0), f1_change(0.0), f1_change(-0.5)) == (0.0, 1.0, 1.0)


def test_agreeing_models_on_a_flat_holdout_mean_stop():
    advice = advise(FLAT, AGREED, Effort())
    assert advice.stop is True
    assert advice.sentence.startswith(
        "Stop: three models in a row agree on 99.2 % of the stop set, and the last 400 labels moved the holdout by between "
    )
    low, high = advice.moved
    assert low <= 0 <= high < 0.005


@pytest.mark.parametrize(
    ("agreements", "reason"),
    [
        ([], "No two models have been compared on the stop set."),
        (AGREED[:2], "Models agreed 2 times; 3 in a row are needed."),
        ([*AGREED[:2], Agreement(0.989, 0.99, 1000)], "The last 3 pairs of models agree at a kappa of 0.989 only."),
        ([*AGREED[:2], Agreement(None, 1.0, 9, reason="One class.")], "One class."),
    ],
)
def test_without_three_agreements_in_a_row_it_goes_on(agreements, reason):
    advice = advise(FLAT, agreements, Effort())
    assert advice.stop is False
    assert advice.reasons[0] == reason


def test_an_agreement_that_was_low_long_ago_does_not_count():
    assert advise(FLAT, [Agreement(0.5, 0.6, 1000), *AGREED], Effort()).stop is True


def test_a_rising_holdout_goes_on_though_models_agree_and_says_what_the_next_point_costs():
    advice = advise(RISING, AGREED, Effort(seconds_per_label=36, rate_per_hour=20))
    slope = 0.05 / np.log(2)  # five points each time the labels double
    wanted = 800 * (exp(0.01 / slope) - 1)
    assert advice.stop is False
    assert advice.labels_more == int(np.ceil(wanted)) == 119
    assert advice.hours == pytest.approx(1.19)
    assert advice.money == pytest.approx(23.8)
    assert advice.sentence == "Go on: about 120 more labels, 1 h 11 min and 24 EUR, for the next point."


def test_what_a_label_costs_may_be_unknown():
    without_rate = advise(RISING, [], Effort(seconds_per_label=4))
    assert without_rate.sentence == "Go on: about 120 more labels and 8 min, for the next point."
    assert without_rate.money is None
    unknown = advise(RISING, [], Effort(rate_per_hour=20))
    assert (unknown.hours, unknown.money) == (None, None)
    assert unknown.sentence == "Go on: about 120 more labels, for the next point."


def test_a_small_holdout_does_not_call_a_wide_interval_flat():
    small = noisy([(400, 0.90), (500, 0.90), (600, 0.90), (700, 0.90), (800, 0.90)], rows=100)
    advice = advise(small, AGREED, Effort())
    assert advice.stop is False
    assert advice.moved[1] > 0.005


def test_a_rise_that_may_be_chance_has_no_upper_end():
    advice = advise(noisy([(400, 0.88), (500, 0.89), (600, 0.90)], rows=100), [], Effort())
    assert advice.labels_more is not None
    assert "for the next point; at least " in advice.sentence
    assert advice.sentence.endswith("an upper end cannot be told.")


def test_a_falling_curve_promises_no_count():
    advice = advise(curve([(400, 0.92), (500, 0.91), (600, 0.90)]), [], Effort(seconds_per_label=4))
    assert (advice.stop, advice.labels_more, advice.hours) == (False, None, None)
    assert advice.sentence == (
        "Go on: the last 200 labels show no rise on the holdout, so how many the next point takes cannot be told."
    )


def test_a_perfect_model_has_no_next_point():
    advice = advise(curve([(10, 0.9), (20, 1.0), (40, 0.995)]), [], Effort())
    assert advice.labels_more is None
    assert "accuracy is 99.5 %, so there is no next point" in advice.sentence


def test_answers_that_never_differ_are_no_proof_on_few_rows():
    same = curve([(400, 1.0), (600, 1.0), (800, 1.0)], rows=100)
    assert advise(same, AGREED, Effort()).stop is False  # 3 in 100 may be unseen
    assert advise(curve([(400, 1.0), (600, 1.0), (800, 1.0)]), AGREED, Effort()).stop is True


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (curve([]), "Needs 3 more runs."),
        (curve([(1, 0.5), (2, 0.6)]), "Needs 1 more run."),
        (curve([(1, 0.5), (2, 0.6), (3, 0.7)], rows=29), "Needs 1 more labeled holdout example."),
        (
            curve([(0, 0.5), (2, 0.6), (3, 0.7)]),
            "Needs a run that learned from labels: the first of the last ones saw none.",
        ),
    ],
)
def test_too_little_to_tell_says_what_is_missing(known, sentence):
    advice = advise(known, AGREED, Effort())
    assert (advice.stop, advice.sentence, advice.labels_more) == (None, sentence, None)


def test_only_the_last_models_draw_the_slope():
    long = curve([(50, 0.3), (100, 0.5), (200, 0.7), *zip(FLAT.labels.tolist(), FLAT.scores.tolist(), strict=True)])
    assert advise(long, AGREED, Effort()).stop is True
    assert advise(long, AGREED, Effort(), StoppingLimits(look=8)).stop is False

import numpy as np
import pytest

from apps.rules.autolabel import (
    at_most,
    audit,
    audit_sample,
    evidence,
    labels_needed,
    precision_high,
    precision_low,
    threshold,
)


def ranked(n, wrong=()):
    """n holdout rows from confidence 1 downward in steps of 1/n; those at the places `wrong` are mistakes."""
    correct = np.ones(n, dtype=bool)
    correct[list(wrong)] = False
    return 1 - np.arange(n) / n, correct


@pytest.mark.parametrize(
    ("rows", "errors", "low"),
    [
        (299, 0, 0.05 ** (1 / 299)),  # no mistake: the n-th root of 5 %
        (10, 0, 0.741134),
        (10, 1, 0.605837),  # as tables of the beta distribution give them: upper error bounds .2589, .3942, .5069
        (10, 2, 0.493099),
        (1, 1, 0.0),
    ],
)
def test_the_lower_bound_is_that_of_the_tables(rows, errors, low):
    assert precision_low(rows, errors) == pytest.approx(low, abs=2e-6)


def test_the_upper_bound_mirrors_the_lower_one():
    assert precision_high(10, 8) == pytest.approx(1 - precision_low(10, 2), abs=1e-9)
    assert precision_high(10, 0) == 1.0


def test_the_binomial_tail_sums_to_one():
    assert at_most(2, 4, 0.5) == pytest.approx(11 / 16)
    assert (at_most(4, 4, 0.5), at_most(3, 9, 0.0), at_most(3, 9, 1.0)) == (1.0, 1.0, 0.0)


def test_ninety_nine_percent_needs_299_labels_without_a_mistake_and_473_with_one():
    assert [labels_needed(0.99, errors=k) for k in range(3)] == [299, 473, 628]
    assert labels_needed(0.8) == 14


def test_299_right_answers_are_just_enough():
    found = threshold(*ranked(299), target=0.99)
    assert (found.value, found.rows, found.errors) == (pytest.approx(1 / 299), 299, 0)
    assert found.precision_low == pytest.approx(0.990031, abs=1e-6)


def test_298_right_answers_are_one_too_few_and_it_says_so():
    found = threshold(*ranked(298), target=0.99)
    assert (found.value, found.more_labels) == (None, 1)
    assert found.sentence == (
        "99 % needs at least 299 holdout labels without a mistake; there are 298. Label 1 more in the holdout."
    )


def test_an_empty_holdout_supports_nothing():
    found = threshold(np.empty(0), np.empty(0, dtype=bool), target=0.99)
    assert (found.value, found.rows, found.more_labels) == (None, 0, 299)


def test_the_first_failure_stops_though_a_later_threshold_would_pass():
    confidence, correct = ranked(590, [310])  # 1 mistake fails from 311 to 472 rows and would pass from 473 on
    found = threshold(confidence, correct, target=0.99)
    assert (found.rows, found.errors) == (310, 0)
    assert found.value == pytest.approx(confidence[309])
    assert found.sentence.startswith("At a confidence of 47.6 % or more 0 of 310 holdout answers were wrong")


def test_a_mistake_at_the_top_of_a_small_holdout_refuses_and_says_what_would_settle_it():
    found = threshold(*ranked(500, [3]), target=0.99)
    assert (found.value, found.rows, found.errors) == (None, 299, 1)
    assert found.precision_low == pytest.approx(0.98423, abs=1e-5)
    assert found.more_labels is not None
    assert "proves a precision of 98.4 %, not 99 %." in found.sentence
    assert f"About {found.more_labels:,} more holdout labels as good would settle it." in found.sentence


def test_a_large_holdout_forgives_a_mistake_at_the_top():
    found = threshold(*ranked(1000, [3]), target=0.99)
    assert (found.rows, found.errors) == (1000, 1)


def test_a_model_below_the_target_is_told_that_labels_will_not_help():
    found = threshold(*ranked(400, range(0, 400, 10)), target=0.99)
    assert (found.value, found.more_labels) == (None, None)
    assert "More labels alone will not settle it; a better model may." in found.sentence


def test_equal_confidences_stay_together():
    confidence, correct = np.r_[np.full(400, 0.9), np.full(100, 0.5)], np.ones(500, dtype=bool)
    correct[450] = False
    found = threshold(confidence, correct, target=0.99)
    assert (found.value, found.rows) == (0.5, 500)  # 500 rows carry one mistake
    correct[451] = False
    assert threshold(confidence, correct, target=0.99).value == 0.9


def test_a_confidence_that_is_not_a_number_is_left_out():
    confidence, correct = ranked(300)
    confidence[0] = np.nan
    assert threshold(confidence, correct, target=0.99).rows == 299


def test_the_promise_is_kept_on_models_just_below_the_target():
    rng = np.random.default_rng(0)
    passed = [
        threshold(*(ranked(700)[0], rng.random(700) < 0.99 - 1e-9), target=0.99).value is not None for _ in range(300)
    ]
    assert np.mean(passed) <= 0.05


@pytest.mark.parametrize("target", [0.0, 1.0, float("nan")])
def test_an_impossible_target_is_refused(target):
    with pytest.raises(ValueError, match="between 0 and 1"):
        threshold(*ranked(10), target=target)
    with pytest.raises(ValueError, match="between 0 and 1"):
        audit(1, 0, target=target)


def test_confidence_and_correctness_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="one value a row"):
        threshold(np.ones(3), np.ones(2, dtype=bool), target=0.9)


def failed_at(precision, *, runs, looks, seed, target=0.99):
    """At which audited answer each of `runs` batches is withdrawn; 0 for never: (runs,)."""
    errors = np.cumsum(np.random.default_rng(seed).random((runs, looks)) >= precision, axis=1)
    looked = np.arange(1, looks + 1)
    table = evidence(looked[:, None], np.minimum(np.arange(errors.max() + 1), looked[:, None]), allowed=1 - target)
    fails = table[looked - 1, errors] >= 20
    return np.where(fails.any(axis=1), fails.argmax(axis=1) + 1, 0)


def test_a_batch_at_the_promised_precision_is_withdrawn_in_at_most_five_percent_of_audits():
    assert np.mean(failed_at(0.99, runs=1000, looks=2000, seed=1) > 0) <= 0.05


def test_a_batch_better_than_promised_is_hardly_ever_withdrawn():
    assert np.mean(failed_at(0.995, runs=1000, looks=2000, seed=2) > 0) <= 0.01


def test_a_batch_at_95_percent_is_withdrawn_within_some_hundred_audits():
    found = failed_at(0.95, runs=500, looks=400, seed=3)
    assert np.mean(found > 0) > 0.98
    assert np.median(found[found > 0]) < 150


def test_the_audit_fails_at_twenty_to_one_and_not_before():
    k = next(k for k in range(1, 100) if audit(100, k, target=0.99).failed)
    assert audit(100, k - 1, target=0.99).evidence < 20 <= audit(100, k, target=0.99).evidence


def test_the_audit_tells_what_it_found():
    good, bad = audit(230, 2, target=0.99), audit(230, 12, target=0.99)
    assert good.sentence == "2 of 230 audited answers were wrong; not surely more than the 1 % allowed."
    assert bad.sentence == "12 of 230 audited answers were wrong; surely more than the 1 % allowed."
    assert (good.failed, bad.failed) == (False, True)
    assert bad.low < bad.precision == 1 - 12 / 230 < bad.high


def test_an_audit_without_answers_knows_nothing():
    found = audit(0, 0, target=0.99)
    assert (found.failed, found.evidence, found.precision, found.low) == (False, 1.0, None, None)


def test_overwhelming_evidence_stays_a_number():
    assert np.isfinite(audit(100_000, 100_000, target=0.99).evidence)


def test_more_errors_than_answers_are_refused():
    with pytest.raises(ValueError, match="2 errors in 1 audited answers"):
        audit(1, 2, target=0.99)


def test_the_audit_draws_a_share_by_seed_without_repeats():
    ids = np.arange(1000, 1400)
    drawn = audit_sample(ids, 0.05, seed=1)
    assert len(set(drawn.tolist())) == 20 and set(drawn) <= set(ids)
    assert drawn.tolist() == audit_sample(ids, 0.05, seed=1).tolist() != audit_sample(ids, 0.05, seed=2).tolist()


def test_the_audit_draws_at_least_one_and_at_most_all():
    assert audit_sample(np.array([7]), 0.01, seed=0).tolist() == [7]
    assert audit_sample(np.array([7, 8]), 1.0, seed=0).tolist() == [7, 8]
    assert audit_sample(np.empty(0, np.int64), 0.5, seed=0).tolist() == []
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        audit_sample(np.array([7]), 0.0, seed=0)

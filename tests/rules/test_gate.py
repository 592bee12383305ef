from dataclasses import replace

import pytest

from apps.rules.gates import Evidence, GateOutcome, judge, labels_to_settle
from apps.rules.metrics import Difference, Metric

LABELS = ("cat", "dog")
FIRST = Evidence(
    loaded=True, finite=True, labels=LABELS, n_holdout=200, accuracy=Metric(0.9, 0.86, 0.94), majority_rate=0.6
)
BETTER = replace(
    FIRST,
    champion_labels=LABELS,
    accuracy_difference=Difference(0.03, 0.01, 0.05),
    log_loss_difference=Difference(-0.05, -0.09, -0.01),
)


def gate(evidence, name):
    return next(gate for gate in judge(evidence).gates if gate.name == name)


def test_a_first_model_that_surely_beats_guessing_passes():
    verdict = judge(FIRST)
    assert (verdict.outcome, verdict.reason) == (GateOutcome.PASS, "All 5 gates pass.")
    assert gate(FIRST, "gain").reason == (
        "Accuracy 90.0 %, between 86.0 % and 94.0 %; always answering the most frequent label gets 60.0 %."
    )


def test_a_better_candidate_passes_and_says_by_how_much():
    assert judge(BETTER).outcome is GateOutcome.PASS
    assert gate(BETTER, "gain").reason == "Accuracy +3.0 points, between +1.0 and +5.0; surely better."


def test_gates_come_in_one_order():
    assert [gate.name for gate in judge(BETTER).gates] == ["loads", "schema", "holdout", "gain", "log_loss"]


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({"loaded": False, "load_error": "header too short"}, "loads"),
        ({"finite": False}, "loads"),
        ({"labels": ("cat",)}, "schema"),
        ({"accuracy_difference": Difference(-0.03, -0.05, -0.01)}, "gain"),
        ({"log_loss_difference": Difference(0.15, 0.02, 0.30)}, "log_loss"),
    ],
)
def test_each_gate_alone_can_fail_the_candidate(change, failing):
    verdict = judge(replace(BETTER, **change))
    assert verdict.outcome is GateOutcome.FAIL
    assert [gate.name for gate in verdict.gates if gate.outcome is GateOutcome.FAIL] == [failing]
    assert verdict.reason == next(gate.reason for gate in verdict.gates if gate.name == failing)


def test_a_lost_label_is_named():
    assert gate(replace(BETTER, labels=("cat",)), "schema").reason == (
        "It no longer knows \u201cdog\u201d, which the champion answers."
    )


def test_a_new_label_passes():
    assert gate(replace(BETTER, labels=("cat", "dog", "emu")), "schema").outcome is GateOutcome.PASS


def test_twenty_nine_holdout_labels_are_one_too_few():
    verdict = judge(replace(BETTER, n_holdout=29))
    assert (verdict.outcome, verdict.more_labels) == (GateOutcome.INCONCLUSIVE, 1)
    assert verdict.reason == "Only 29 labeled holdout examples; 1 more would settle it."
    assert judge(replace(BETTER, n_holdout=30)).outcome is GateOutcome.PASS


def test_a_few_bad_answers_on_a_tiny_holdout_do_not_fail_a_candidate():
    verdict = judge(replace(BETTER, n_holdout=5, accuracy_difference=Difference(-1.0, -1.0, -1.0)))
    assert verdict.outcome is GateOutcome.INCONCLUSIVE


def test_a_wide_interval_is_inconclusive_and_says_what_would_settle_it():
    doubt = gate(replace(BETTER, accuracy_difference=Difference(0.006, -0.043, 0.055)), "gain")
    assert doubt.outcome is GateOutcome.INCONCLUSIVE
    # 200 * (0.049 / 0.026)^2 = 710.4
    assert doubt.more_labels == 511
    assert doubt.reason == (
        "Accuracy +0.6 points, between \u22124.3 and +5.5; may be chance. "
        "About 511 more holdout labels would settle it."
    )


def test_a_loss_within_what_is_allowed_passes_when_it_is_sure():
    small = gate(replace(BETTER, accuracy_difference=Difference(-0.005, -0.015, 0.005)), "gain")
    assert small.outcome is GateOutcome.PASS
    assert small.reason.endswith("not worse by more than the 2 points allowed.")


def test_a_bad_value_settles_sooner_as_a_fail():
    # to fail: 100 * (0.05 / 0.04)^2 = 156.25; it can hardly pass
    assert labels_to_settle(Difference(-0.04, -0.09, 0.01), 100, 0.02) == 57


def test_a_first_model_that_may_be_guessing_is_inconclusive_and_one_that_is_worse_fails():
    assert gate(replace(FIRST, accuracy=Metric(0.65, 0.55, 0.75)), "gain").outcome is GateOutcome.INCONCLUSIVE
    assert gate(replace(FIRST, accuracy=Metric(0.4, 0.3, 0.5)), "gain").outcome is GateOutcome.FAIL


def test_a_holdout_of_one_class_cannot_tell_a_model_from_guessing():
    same = gate(replace(FIRST, majority_rate=1.0, accuracy=Metric(0.9, 0.8, 0.95)), "gain")
    assert same.outcome is GateOutcome.INCONCLUSIVE
    assert same.reason == "All holdout labels are the same, so guessing is always right."


def test_a_log_loss_that_rose_little_or_perhaps_by_chance_passes():
    assert (
        gate(replace(BETTER, log_loss_difference=Difference(0.05, 0.01, 0.09)), "log_loss").outcome is GateOutcome.PASS
    )
    assert gate(replace(BETTER, log_loss_difference=Difference(0.2, -0.1, 0.5)), "log_loss").outcome is GateOutcome.PASS


def test_what_was_not_measured_is_inconclusive_with_the_reason():
    missing = replace(BETTER, accuracy_difference=Difference(None, None, None, "2 rows are broken."))
    assert gate(missing, "gain").outcome is GateOutcome.INCONCLUSIVE
    assert gate(missing, "gain").reason == "Accuracy was not compared. 2 rows are broken."

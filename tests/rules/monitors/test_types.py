"""What single monitors measure: distances beside scipy's own, faults of data, silence, groups, losses; and bad input in words."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from apps.rules.monitors import (
    MONITORS,
    CannotTell,
    ColumnPair,
    LossStream,
    MonitorEvidence,
    NothingToRead,
    PastEstimate,
    Predictions,
    VolumeHistory,
    WindowTarget,
    judge_window,
)
from apps.rules.monitors.column_parts import chi_square, jensen_shannon, ks, parts_of, psi, wasserstein
from apps.rules.monitors.data_quality import DataQualityParameters, fault_counts
from apps.rules.monitors.estimated_performance import back_test
from apps.rules.monitors.loss_detectors import DETECTORS
from apps.rules.monitors.loss_scan import LossReference, longest_stretch, rises, threshold
from tests.rules.monitors import evidence
from tests.rules.monitors.evidence import NONE

TARGET = WindowTarget(0.01, draws=300)


def judged(name, of, target=TARGET, **given):
    monitor = MONITORS[name]
    return judge_window(monitor, of, monitor.parameters.model_validate(given), target)


def said(name, of, **given):
    """Why it does not tell."""
    with pytest.raises((CannotTell, NothingToRead)) as words:
        judged(name, of, **given)
    return str(words.value.args[0])


def pair(before, now):
    return MonitorEvidence(NONE, NONE, columns=ColumnPair(before, now))


# Distances


def test_distances_of_numbers_are_scipys_where_the_values_are_few():
    rng = np.random.default_rng(0)
    before, now = rng.poisson(3, 400).astype(float), rng.poisson(3.6, 300).astype(float)
    parts = parts_of(before.tolist())
    left, right = parts.counts(before.tolist()), parts.counts(now.tolist())
    assert left.sum() == 400 and right.sum() == 300 and parts.size == 2 * len(set(before)) + 1
    assert ks(left, right, parts) == pytest.approx(stats.ks_2samp(before, now).statistic)
    inside = now[now <= before.max()]
    moved = stats.wasserstein_distance(before, inside) / before.std()
    assert wasserstein(left, parts.counts(inside.tolist()), parts) == pytest.approx(moved)


def test_distances_of_words_are_scipys():
    parts = parts_of(["a"] * 50 + ["b"] * 30 + ["c"] * 20)
    left, right = np.array([50.0, 30, 20, 0]), np.array([10.0, 30, 20, 6])
    expected = stats.chi2_contingency(np.stack([left, right]), correction=False).statistic
    assert chi_square(left, right, parts) * (left.sum() + right.sum()) == pytest.approx(expected)
    p, q = left / 100, right / 66
    middle = (p + q) / 2
    divergence = (stats.entropy(p, middle, base=2) + stats.entropy(q, middle, base=2)) / 2
    assert jensen_shannon(left, right, parts) == pytest.approx(divergence**0.5)
    smooth = [(each + 0.5) / (each + 0.5).sum() for each in (left, right)]
    assert psi(left, right, parts) == pytest.approx(stats.entropy(*smooth) + stats.entropy(*smooth[::-1]))


@pytest.mark.parametrize("numbers", ["ks", "wasserstein", "psi", "jensen-shannon", "chi-square"])
def test_every_distance_of_numbers_keeps_the_budget_and_finds_a_shift(numbers):
    rng = np.random.default_rng(1)
    raised = sum(judged("column-drift", evidence.columns(rng), WindowTarget(0.05, draws=150), numbers=numbers).raised
                 for _ in range(60))  # fmt: skip
    assert raised <= 3 + 3 * (60 * 0.05 * 0.95) ** 0.5
    assert judged("column-drift", evidence.columns(rng, moved=True), numbers=numbers).raised


def test_the_columns_that_moved_are_named_and_the_others_are_not():
    rng = np.random.default_rng(4)
    before = evidence.table(rng, 400)
    now = {**evidence.table(rng, 300), "city": ("Lima",) * 300}
    found = judged("column-drift", pair(before, now))
    assert [f.name for f in found.drifted] == ["city"]
    assert found.drifted[0].reason.startswith("“city”: “Lima” went from ") and found.drifted[0].reason.endswith(
        "to 100 %"
    )
    assert sum(found.drifted[0].parts["window"]) == pytest.approx(1)


# Bad input


@pytest.mark.parametrize(
    ("before", "now", "raised"),
    [((7,) * 100, (7,) * 100, False), ((7,) * 100, (8,) * 100, True), (("x",) * 100, ("x",) * 100, False)],
)
def test_a_constant_column_has_no_distance_until_it_is_another_constant(before, now, raised):
    assert judged("column-drift", pair({"c": before}, {"c": now})).raised is raised


def test_an_empty_window_of_a_column_is_left_to_quality_which_tells_of_it():
    rng = np.random.default_rng(0)
    before, now = evidence.table(rng, 200), {**evidence.table(rng, 100), "city": (None,) * 100}
    assert "city" not in [f.name for f in judged("column-drift", pair(before, now)).features]
    found = judged("data-quality", pair(before, now))
    assert [f.name for f in found.drifted] == ["city (empty)"]
    assert found.drifted[0].reason == "“city” is empty in 100.0 % of the rows (0.0 % before)"
    empty = dict.fromkeys(before, (None,) * 100)
    words = "No column is filled in 50 rows of the window and the reference."
    assert said("column-drift", pair(before, empty)) == words


def test_values_never_seen_are_a_part_of_their_own():
    rng = np.random.default_rng(0)
    before, now = evidence.table(rng, 200), {**evidence.table(rng, 100), "city": ("Kyiv",) * 30 + ("Rome",) * 70}
    drift = judged("column-drift", pair(before, now))
    assert [f.name for f in drift.drifted] == ["city"]
    quality = judged("data-quality", pair(before, now))
    assert [f.reason for f in quality.drifted] == [
        "“city” has a value that was never seen in 30.0 % of the rows (0.0 % before)"
    ]


def test_one_new_value_in_a_hundred_rows_is_no_proof():
    before = {"word": (*(f"w{i % 60}" for i in range(90)), "once")}
    assert not judged("data-quality", pair(before, {"word": ("other",) + ("w1",) * 99}), allowedShare=0).raised


def test_a_column_that_vanished_is_named_and_one_that_was_never_there_switches_its_monitor_off():
    rng = np.random.default_rng(0)
    before, now = evidence.table(rng, 200), evidence.table(rng, 100)
    del now["age"]
    found = judged("data-quality", pair(before, now))
    assert [f.reason for f in found.drifted] == ["“age” is not there any more"]
    words = "The column “salary” is not in what the model learned from."
    assert said("column-drift", pair(before, now), columns=["salary"]) == words
    assert said("data-quality", pair(before, now), columns=["salary"]) == words


def test_a_column_that_turned_into_words_is_one_of_another_type():
    before, now = {"age": tuple(range(100))}, {"age": ("12",) * 40 + tuple(range(60))}
    counts = fault_counts(before["age"], now["age"], DataQualityParameters())
    assert counts["type"] == (0, 100, 40, 100) and counts["range"] == (0, 100, 0, 60)
    assert [f.name for f in judged("data-quality", pair(before, now)).drifted] == ["age (type)"]


def test_numbers_out_of_range_are_counted_beyond_the_slack():
    counts = fault_counts(range(101), [105, 111, -9, -11, 10**400, float("nan")], DataQualityParameters(slack=0.1))
    assert counts["range"] == (0, 101, 2, 4) and counts["type"] == (0, 101, 1, 5) and counts["empty"][2] == 1


@pytest.mark.parametrize("name", ["class_mix", "confidence"])
def test_three_rows_in_a_window_are_no_verdict(name):
    rng = np.random.default_rng(0)
    of = evidence.answers(rng, m=3)
    assert said(name, of) == "Only 3 predictions in the window; 50 are needed to tell."
    assert said("column-drift", evidence.columns(rng, m=3)) == "Only 3 rows in the window; 50 are needed to tell."
    assert said("embedding-drift", evidence.vectors(rng, m=3)) == "Only 3 rows in the window; 50 are needed to tell."


def test_a_reference_smaller_than_the_window_keeps_the_budget():
    rng = np.random.default_rng(8)
    target = WindowTarget(0.05, draws=150)
    raised = sum(judged("column-drift", evidence.columns(rng, n=60, m=1_000), target).raised for _ in range(80))
    assert raised <= 4 + 3 * (80 * 0.05 * 0.95) ** 0.5


def test_vectors_that_are_no_numbers_are_left_out():
    of = evidence.vectors(np.random.default_rng(0))
    of.vectors.window[0] = np.nan
    assert not judged("embedding-drift", of).raised


# Volume


def test_silence_where_hundreds_are_usual_is_said_with_its_hours():
    of = MonitorEvidence(NONE, NONE, volume=VolumeHistory(3, 0, (390, 410, 405, 395), ((50, 55, 45), (12, 9, 14))))
    found = judged("volume", of)
    assert found.raised and found.drifted[0].reason == "no request for 3 h where 400 are usual"


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (None, "Two earlier weeks, or days, are needed to know what is usual."),
        (VolumeHistory(3, 0, (400,)), "Two earlier weeks, or days, are needed to know what is usual."),
        (VolumeHistory(3, 0, (4, 6)), "Only 5 requests are usual at these hours; 20 are needed to tell."),
    ],
)
def test_hours_of_which_nothing_is_known_tell_nothing(volume, words):
    assert said("volume", MonitorEvidence(NONE, NONE, volume=volume)) == words


def test_many_more_requests_alarm_only_who_asked_for_either():
    of = MonitorEvidence(NONE, NONE, volume=VolumeHistory(3, 900, (400, 402, 398, 399)))
    assert not judged("volume", of).raised and judged("volume", of, direction="either").raised


# Accuracy without labels


def test_past_estimates_that_were_wrong_take_away_its_word():
    of = evidence.answers(np.random.default_rng(0), moved=True)
    assert judged("estimated-performance", of).raised
    off = replace(of, past=tuple(PastEstimate(0.9, 0.6, 300) for _ in range(3)))
    assert said("estimated-performance", off).endswith("points from what feedback said, so it is not believed.")
    assert back_test(off) == pytest.approx(0.3 - (0.24 / 300) ** 0.5)
    assert back_test(replace(of, past=off.past[:2])) is None
    assert judged("estimated-performance", replace(of, past=(PastEstimate(0.9, 0.89, 300),) * 3)).raised
    assert said("estimated-performance", replace(of, right=None)).startswith("The report of the model does not say")


# Groups


def test_a_group_that_is_answered_otherwise_than_the_others_is_named():
    found = judged("fairness-drift", evidence.groups(np.random.default_rng(1), moved=True))
    assert {f.name for f in found.drifted} <= {f"country: {g} (said)" for g in "ABC"}
    assert "country “A”: “yes” went from" in " ".join(f.reason for f in found.drifted)


def test_what_moves_for_every_group_moves_none_against_the_others():
    of = evidence.groups(np.random.default_rng(1))
    of.groups.window.answered[:] = 1
    of.groups.reference.answered[:] = 0
    assert not judged("fairness-drift", of).raised


def test_groups_that_are_too_small_or_unknown_say_so():
    of = evidence.groups(np.random.default_rng(1), m=60)
    assert said("fairness-drift", of) == "Fewer than two groups have 30 rows before and now."
    assert said("fairness-drift", of, columns=["age"]) == "“age” is not marked as sensitive, or no example has it."
    assert said("fairness-drift", of, label="maybe") == "The model knows no label “maybe”."


# Losses


def test_a_stretch_of_wrong_answers_is_found_with_its_length_and_moment():
    wrong = np.concatenate([np.tile([1, 0, 0, 0, 0], 400), np.tile([1, 0], 100)])
    of = MonitorEvidence(NONE, NONE, losses=LossStream(wrong, 400, 200, 1_000, 10_000))
    found = judged("performance", of)
    assert found.raised and 200 < found.onset <= 320, "within 120 losses of where it began"
    assert "were wrong (20.0 % on the holdout)" in found.drifted[0].reason


def test_losses_that_fell_raise_nothing():
    wrong = np.concatenate([np.tile([1, 0, 0, 0, 0], 400), np.zeros(600, np.int64)])
    assert rises(wrong, LossReference(200, 1_000))[1][-1] == 0
    assert longest_stretch(wrong, LossReference(200, 1_000)) == 0


def test_a_rise_within_the_tolerance_raises_nothing_however_long_it_lasts():
    wrong = np.tile([1, 0, 0, 0], 1_200)  # 25 % where 20 % was measured
    strict, calm = LossReference(2_000, 10_000), LossReference(2_000, 10_000, tolerance=0.06)
    assert rises(wrong, strict)[1].max() > threshold(strict, per_loss=1e-4)
    assert rises(wrong, calm)[1].max() < threshold(calm, per_loss=1e-4)


def test_a_threshold_is_higher_the_rarer_an_alarm_may_be_also_beyond_what_was_simulated():
    limits = [threshold(LossReference(200, 1_000), per_loss=each) for each in (1e-4, 1e-5, 1e-7, 1e-9)]
    assert limits == sorted(limits) and limits[3] - limits[2] == pytest.approx(np.log(100), rel=0.001)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_model_that_is_always_right_or_always_wrong_has_a_threshold_too(rate):
    reference = LossReference(round(200 * rate), 200)
    assert np.isfinite(threshold(reference, per_loss=1e-4))
    assert np.isfinite(rises(np.full(500, int(rate)), reference)[1]).all()


def test_too_few_labels_no_labels_and_none_since_say_so():
    none = MonitorEvidence(NONE, NONE, losses=LossStream(np.zeros(0, np.int64), 0, 0, 0, 0))
    assert said("performance", none) == "No labels came back yet."
    few = MonitorEvidence(NONE, NONE, losses=LossStream(np.ones(3, np.int64), 3, 5, 100, 100))
    assert said("performance", few) == "Only 3 labels came back that are mature; 30 are needed to tell."
    stale = MonitorEvidence(NONE, NONE, losses=LossStream(np.ones(50, np.int64), 0, 5, 100, 100))
    assert said("performance", stale) == "No label became mature since the last look."


@pytest.mark.parametrize("detector", [name for name in DETECTORS if name not in ("scan", "kswin")])
def test_rivers_detectors_find_a_step_by_a_setting_that_keeps_the_budget(detector):
    rng = np.random.default_rng(0)
    moved = evidence.losses(rng, moved=True, n=3_000, fresh=1_000)
    found = judged("performance", moved, WindowTarget(0.1, seed=0), detector=detector)
    assert found.raised and 0 < found.onset < 700
    assert not judged("performance", evidence.losses(rng), WindowTarget(0.02, seed=0), detector=detector).raised


def test_kswin_tests_each_loss_at_its_share_of_the_budget():
    rng = np.random.default_rng(0)
    wrong = np.concatenate([(rng.random(300) < 0.1), np.ones(60, bool)]).astype(np.int64)
    of = MonitorEvidence(NONE, NONE, losses=LossStream(wrong, 60, 100, 1_000, 10_000))
    found = judged("performance", of, WindowTarget(0.1, seed=0), detector="kswin")
    assert found.raised and 10 <= found.onset <= 60


def test_predictions_of_a_label_that_the_holdout_never_had_count():
    of = MonitorEvidence(
        evidence.predictions(np.random.default_rng(0), 200),
        Predictions(np.full(60, 9), np.full(60, 0.5)),
        evidence.LABELS,
    )
    assert judged("class_mix", of).drifted[0].reason == "“label 9” went from 0 % to 100 % of predictions"


# Margin


def test_doubt_between_two_labels_is_seen_though_the_confidence_is_as_it_was():
    """Of three labels the first has a half before and now; the second had a quarter and has nearly the other half."""
    rng = np.random.default_rng(0)
    labels, sure = np.zeros(300, np.int64), rng.uniform(0.45, 0.55, 300)
    before, now = Predictions(labels, sure, sure - 0.25), Predictions(labels, sure, np.abs(sure - 0.48))
    of = MonitorEvidence(before, now, ("cat", "dog", "emu"))
    assert judged("margin", of).raised and not judged("confidence", of).raised
    assert "by at least 0.0" in judged("margin", of).features[0].reason


def test_margins_that_nobody_kept_are_said_and_do_not_count():
    labels, sure = np.zeros(100, np.int64), np.full(100, 0.9)
    known, none = Predictions(labels, sure, 2 * sure - 1), Predictions(labels, sure)
    assert "has no margins" in said("margin", MonitorEvidence(none, known))
    half = Predictions(labels, sure, np.where(np.arange(100) < 60, np.nan, 0.8))
    assert "of 40 predictions in the window" in said("margin", MonitorEvidence(known, half))
    assert judged("margin", MonitorEvidence(known, half), leastRows=40).score < 1

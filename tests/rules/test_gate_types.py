"""The gates that a policy adds, against figures of others: SciPy, scikit-learn, Fairlearn; and on input that is not nice."""

from dataclasses import replace

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference
from scipy.stats import binomtest, false_discovery_control
from sklearn.metrics import brier_score_loss

from apps.rules.gates import GATES, Evidence, GateOutcome, gate_policy_of
from apps.rules.gates.calibration import brier
from apps.rules.gates.data_schema import DataSchemaParameters, faults_of
from apps.rules.gates.fairness import disparities_of, group_table, newcombe_low
from apps.rules.gates.rows import ColumnValues, GateReads, HoldoutRows, ServingTrial
from apps.rules.gates.slices import exact_harm, false_discovery, findings_of
from apps.rules.gates.slicing import by_certainty, by_length, by_value
from apps.rules.metrics import Difference, Metric

LABELS = ("no", "yes")
RNG = np.random.default_rng(7)


def rows(n=400, *, harm=0.0, **columns):
    """The champion has nine in ten right; `harm` of the rows of ES are lost by the candidate."""
    truth = RNG.integers(2, size=n)
    right = RNG.random(n) < 0.9
    country = np.array(["ES" if i % 4 == 0 else "FR" for i in range(n)], dtype=object)
    lost = right & (country == "ES") & (RNG.random(n) < harm)
    champion = np.eye(2)[np.where(right, truth, 1 - truth)] * 0.8 + 0.1
    candidate = np.where(lost[:, None], champion[:, ::-1], champion)
    found = {"country": tuple(country), **columns}
    return HoldoutRows(np.arange(n) + 1000, truth, candidate, champion, LABELS, columns=found)


def evidence(holdout, **more):
    known = {
        "loaded": True,
        "finite": True,
        "labels": LABELS,
        "accuracy": Metric(0.9, 0.87, 0.93),
        "majority_rate": 0.5,
    }
    return Evidence(**known, n_holdout=len(holdout), champion_labels=LABELS, rows=holdout, **more)


def judged(name, found, **parameters):
    return GATES[name].judged(found, GATES[name].parameters.model_validate(parameters))


# --- a metric: its value, its change

MEASURED = {"accuracy": Metric(0.9, 0.86, 0.94), "log_loss": Metric(0.3, 0.25, 0.35)}
CHANGED = {"accuracy": Difference(0.02, 0.005, 0.04), "log_loss": Difference(-0.06, -0.1, -0.02)}


@pytest.mark.parametrize(
    ("parameters", "outcome", "reason"),
    [
        ({"threshold": 0.85}, "pass", "Accuracy 90.0 %, between 86.0 % and 94.0 %; at least 85.0 % is asked."),
        ({"threshold": 0.95}, "fail", "at least 95.0 % is asked; surely not reached."),
        ({"threshold": 0.88}, "inconclusive", "may be chance. About 600 more holdout labels would settle it."),
        ({"threshold": 0.88, "judgeBy": "value"}, "pass", "at least 88.0 % is asked."),
        (
            {"metric": "log_loss", "threshold": 0.4},
            "pass",
            "Log-loss 0.300, between 0.250 and 0.350; at most 0.400 is asked.",
        ),
        ({"metric": "log_loss", "threshold": 0.2}, "fail", "surely not reached."),
        ({"metric": "log_loss", "threshold": 0.2, "direction": "HIGHER_IS_BETTER"}, "pass", "at least 0.200 is asked."),
        ({"metric": "macro_f1", "threshold": 0.2}, "inconclusive", "Macro F1 was not measured."),
    ],
)
def test_a_threshold_is_kept_missed_or_in_doubt(parameters, outcome, reason):
    said = judged("metric-threshold", evidence(rows(200), metrics=MEASURED), **{"metric": "accuracy", **parameters})
    assert said.outcome == outcome and said.reason.endswith(reason), said.reason


@pytest.mark.parametrize(
    ("parameters", "outcome", "reason"),
    [
        ({}, "pass", "Accuracy +2.0 against the champion, between +0.5 and +4.0; 0.0 for the better is asked."),
        ({"minChange": 0.05}, "fail", "+5.0 for the better is asked; surely not reached."),
        ({"minChange": 0.01}, "inconclusive", "may be chance. About 250 more holdout labels would settle it."),
        (
            {"minChange": -0.01, "kind": "relative"},
            "pass",
            "Accuracy +2.3 % against the champion, between +0.6 % and +4.5 %;",
        ),
        ({"metric": "log_loss", "minChange": 0.01}, "pass", "Log-loss −0.060 against the champion,"),
        ({"metric": "log_loss", "direction": "HIGHER_IS_BETTER"}, "fail", "surely not reached."),
        ({"metric": "macro_f1"}, "inconclusive", "Macro F1 was not compared."),
    ],
)
def test_a_change_is_enough_too_little_or_in_doubt(parameters, outcome, reason):
    found = evidence(rows(200), metrics=MEASURED, differences=CHANGED)
    said = judged("metric-change", found, **{"metric": "accuracy", **parameters})
    assert said.outcome == outcome and reason in said.reason, said.reason


def test_nothing_is_relative_to_a_champion_that_has_none():
    zero = {"accuracy": Metric(0.2, 0.1, 0.3)}, {"accuracy": Difference(0.2, 0.1, 0.3)}
    found = evidence(rows(200), metrics=zero[0], differences=zero[1])
    assert judged("metric-change", found, metric="accuracy", kind="relative").outcome is GateOutcome.INCONCLUSIVE


# --- slices


@pytest.mark.parametrize(("losses", "gains"), [(0, 0), (1, 0), (5, 2), (30, 10), (400, 380)])
def test_the_chance_of_losses_is_mcnemars_exact_one(losses, gains):
    expected = binomtest(losses, losses + gains, alternative="greater").pvalue if losses + gains else 1.0
    assert exact_harm(losses, gains) == pytest.approx(expected, rel=1e-9)


def test_q_values_are_benjamini_and_hochbergs():
    chances = RNG.random(40) ** 3
    assert false_discovery(chances.tolist()) == pytest.approx(false_discovery_control(chances).tolist())


def test_the_slice_that_pays_is_named_with_its_examples():
    harmed = rows(harm=0.5)
    said = judged("slices", evidence(harmed), by="column", names=["country"])
    assert said.outcome is GateOutcome.FAIL
    assert said.reason.startswith("Worst of 2 slices: country “ES” changes by −")
    assert said.reason.endswith("on 100 examples; surely worse, all of them taken into account.")
    lost = set(said.details["worst"]["examples"])
    assert len(lost) == 10 and {harmed.columns["country"][i - 1000] for i in lost} == {"ES"}
    assert [each["name"] for each in said.details["slices"]] == ["country “ES”", "country “FR”"]


def test_equal_models_pass_and_small_slices_are_counted_apart():
    odd = tuple("rare" if i < 5 else "usual" for i in range(400))
    said = judged("slices", evidence(rows(kind=odd)), by="column", names=["kind"])
    assert (
        said.reason
        == "None of 1 slice is surely worse; worst: kind “usual” changes by 0.0 points on 395 examples. "
        + ("1 smaller ones are not judged.")
    )


def test_a_loss_that_is_allowed_passes():
    harmed = rows(harm=0.3)
    assert (
        judged("slices", evidence(harmed), by="column", names=["country"], allowedLoss=0.9).outcome is GateOutcome.PASS
    )


def test_false_alarms_over_many_slices_stay_at_their_rate():
    """Models of equal worth that differ in one answer of five, on 20 slices: few of 200 candidates are stopped."""
    stopped = 0
    for draw in range(200):
        rng = np.random.default_rng(draw)
        truth = rng.integers(2, size=1200)
        both = [np.eye(2)[np.where(rng.random(1200) < 0.85, truth, 1 - truth)] * 0.8 + 0.1 for _ in range(2)]
        group = {"g": tuple(str(i % 20) for i in range(1200))}
        equal = HoldoutRows(np.arange(1200), truth, both[0], both[1], LABELS, columns=group)
        stopped += judged("slices", evidence(equal), by="column", names=["g"]).outcome is GateOutcome.FAIL
    assert stopped <= 16  # 5 % of 200, and two standard deviations


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (["a", None, "", "b"], ["c “a”", "c “b”", "c empty"]),
        ([1, 1.0, True, float("nan"), 10**400], ["c “1”", "c “true”", "c “1", "c empty"]),
        (list(range(100)), ["c 0 to 24.75", "c 24.75 to 49.5", "c 49.5 to 74.25", "c 74.25 to 99"]),
        ([f"v{i // 2}" for i in range(600)], [*(f"c “v{i}”" for i in range(20)), "c: 280 rarer values"]),
        ([None, None], ["c empty"]),
        ([[1], {"a": 2}], ["c “[1]”", "c “{'a': 2}”"]),
    ],
)
def test_any_column_is_cut_and_each_row_is_in_one_slice(column, names):
    found = by_value("c", column)
    assert [each.name[: len(name)] for each, name in zip(found, names, strict=True)] == names
    assert np.sum([each.inside for each in found], axis=0).tolist() == [1] * len(column)


def test_lengths_and_certainty_are_bands():
    assert [s.name for s in by_length("text", ["a", "bb", None])] == [
        "length of text 1 to 1.25",
        "length of text 1.75 to 2",
        "length of text empty",
    ] or len(by_length("text", ["a", "bb", None])) >= 3
    bands = by_certainty(np.array([[0.6, 0.4], [1.0, 0.0], [0.5, 0.5]]))
    assert [(b.name, int(b.inside.sum())) for b in bands] == [("certainty 50 to 70 %", 2), ("certainty 90 to 100 %", 1)]


@pytest.mark.parametrize(
    ("found", "parameters", "reason"),
    [
        (
            evidence(rows()),
            {"by": "column", "names": ["age"]},
            "No holdout example has “age”, a column or saved filter",
        ),
        (evidence(rows()), {"by": "view", "names": ["Mine"]}, "No holdout example has “Mine”"),
        (
            evidence(rows(40)),
            {"by": "column", "names": ["country"], "minExamples": 39},
            "No slice has 39 holdout examples.",
        ),
        (replace(evidence(rows()), rows=None), {"by": "truth"}, "No single answers of the two models were compared."),
    ],
)
def test_slices_that_cannot_be_judged_say_why(found, parameters, reason):
    said = judged("slices", found, **parameters)
    assert said.outcome is GateOutcome.INCONCLUSIVE and said.reason.startswith(reason)


def test_probabilities_that_are_no_numbers_tell_nothing_by_slice_or_group():
    broken = rows()
    broken.candidate[3, 0] = np.nan
    assert judged("slices", evidence(broken), by="truth").outcome is GateOutcome.INCONCLUSIVE
    found = evidence(broken, sensitive=("country",))
    assert judged("fairness", found).outcome is GateOutcome.INCONCLUSIVE
    assert judged("calibration", found, measure="brier").outcome is GateOutcome.INCONCLUSIVE


# --- fairness


def skewed(n=1000, more=0.4):
    """“yes” is answered to FR by truth and to ES more often by `more`."""
    truth = RNG.integers(2, size=n)
    country = np.array(["ES" if i % 2 else "FR" for i in range(n)], dtype=object)
    said = np.where((country == "ES") & (RNG.random(n) < more), 1, truth)
    return HoldoutRows(
        np.arange(n), truth, np.eye(2)[said] * 0.8 + 0.1, None, LABELS, columns={"country": tuple(country)}
    )


def test_the_largest_differences_are_fairlearns():
    found = skewed()
    said, groups = found.candidate.argmax(axis=1), list(found.columns["country"])
    table = group_table(found.truth == 1, said == 1, said == found.truth, groups)
    by_rate = {d.rate: d.value for d in disparities_of("country", "yes", table, 1)}
    parity = demographic_parity_difference(found.truth, said, sensitive_features=groups)
    odds = equalized_odds_difference(found.truth, said, sensitive_features=groups)
    assert by_rate["selection_rate"] == pytest.approx(parity)
    assert max(by_rate["true_positive_rate"], by_rate["false_positive_rate"]) == pytest.approx(odds)
    assert [(row["group"], row["n"]) for row in table] == [("ES", 500), ("FR", 500)]


def test_the_sure_part_of_a_difference_is_newcombes():
    # Newcombe 1998, table II, example a: 56/70 against 48/80 by method 10 begins at 0.0524
    assert newcombe_low((0.8, 70), (0.6, 80), 0.05) == pytest.approx(0.0524, abs=5e-5)


def test_groups_that_are_treated_differently_fail_with_the_figure():
    said = judged("fairness", evidence(skewed(), sensitive=("country",)))
    assert said.outcome is GateOutcome.FAIL
    assert (
        "of “yes” differs by" in said.reason
        and "between country “FR” and “ES”; at most 0.10 is allowed." in said.reason
    )
    assert said.details["tables"][0]["label"] == "yes" and len(said.details["tables"][0]["groups"]) == 2


def test_like_groups_pass_and_few_examples_stay_in_doubt():
    assert judged("fairness", evidence(skewed(4000, more=0.0), sensitive=("country",))).outcome is GateOutcome.PASS
    few = judged("fairness", evidence(skewed(80, more=0.25), sensitive=("country",)))
    assert few.outcome is GateOutcome.INCONCLUSIVE and few.reason.endswith("and this may be chance.")


@pytest.mark.parametrize(
    ("change", "parameters", "reason"),
    [
        ({"sensitive": ()}, {}, "No column of the project is marked as sensitive"),
        ({}, {"columns": ["age"]}, "“age” is not marked as sensitive; a manager can mark it under Gates."),
        ({"sensitive": ("age",)}, {}, "No holdout example has the column “age”."),
        ({}, {"label": "maybe"}, "The model knows no label “maybe”."),
        ({}, {"minExamples": 900}, "Fewer than two groups have 900 holdout examples."),
    ],
)
def test_fairness_that_cannot_be_judged_says_why(change, parameters, reason):
    said = judged("fairness", evidence(skewed(), **{"sensitive": ("country",), **change}), **parameters)
    assert said.outcome is GateOutcome.INCONCLUSIVE and said.reason.startswith(reason), said.reason


def test_missing_groups_are_a_group_and_hundreds_of_small_ones_are_counted():
    n = 1000
    country = tuple(None if i % 3 == 0 else "ES" if i % 3 == 1 else f"c{i}" for i in range(n))
    truth = RNG.integers(2, size=n)
    mixed = HoldoutRows(np.arange(n), truth, np.eye(2)[truth], None, LABELS, columns={"country": country})
    said = judged("fairness", evidence(mixed, sensitive=("country",)))
    assert {row["group"] for row in said.details["tables"][0]["groups"]} == {"empty", "ES"}
    assert said.reason.endswith("333 groups with fewer examples are not judged.")


def test_a_holdout_of_one_class_has_no_odds_and_no_fault():
    n = 200
    country = tuple("ES" if i % 2 else "FR" for i in range(n))
    alone = HoldoutRows(
        np.arange(n), np.ones(n, int), np.eye(2)[np.ones(n, int)], None, LABELS, columns={"country": country}
    )
    said = judged("fairness", evidence(alone, sensitive=("country",)))
    assert said.outcome is GateOutcome.PASS
    assert said.details["tables"][0]["groups"][0]["false_positive_rate"] is None


# --- calibration


def test_the_brier_score_is_scikit_learns():
    found = rows()
    expected = brier_score_loss(found.truth, found.candidate, labels=[0, 1], scale_by_half=False)
    assert brier(found).value == pytest.approx(expected)


def test_calibration_is_kept_broken_or_in_doubt():
    found = evidence(rows(), metrics={"calibration_error": Metric(0.05, 0.03, 0.08)})
    assert judged("calibration", found).reason == (
        "Expected calibration error 0.050, between 0.030 and 0.080; at most 0.100 is allowed."
    )
    assert judged("calibration", found, limit=0.02).outcome is GateOutcome.FAIL
    assert judged("calibration", found, limit=0.06).outcome is GateOutcome.INCONCLUSIVE
    assert judged("calibration", found, limit=0.01, measure="brier").reason.startswith("Brier score 0.")


# --- what comes in


LEARNED = {
    "age": tuple(range(20, 70)),
    "job": ("nurse", "clerk") * 25,
    "note": tuple(f"a note of {i}" + "x" * i for i in range(50)),
    "city": (None, "Rome") * 25,
}


@pytest.mark.parametrize(
    ("column", "values", "fault"),
    [
        ("age", (200,) * 10 + (30,) * 90, ("range", 10, "200")),
        ("age", ("old",) * 5 + (30,) * 95, ("type", 5, "old")),
        ("age", (None,) * 20 + (30,) * 80, ("empty", 20, "")),
        ("age", (float("nan"),) * 20 + (30,) * 80, ("empty", 20, "")),
        ("age", (None,) * 100, ("absent", 100, "")),
        ("job", ("pilot",) * 7 + ("nurse",) * 93, ("category", 7, "pilot")),
        ("job", (3,) * 7 + ("nurse",) * 93, ("type", 7, "3")),
        ("note", ("x" * 900,) * 4 + ("a note of 3",) * 96, ("length", 4, "x" * 80)),
    ],
)
def test_each_rule_that_rows_break_is_found_with_its_share(column, values, fault):
    usual = {"age": (30,) * 100, "job": ("nurse",) * 100, "note": ("a note of 3xx",) * 100, "city": ("Rome",) * 100}
    (found,) = faults_of(LEARNED, {**usual, column: values}, DataSchemaParameters(most_categories=20))
    assert (found.column, found.fault, found.rows, found.seen) == (column, *fault)
    assert found.share == found.rows / 100


def test_what_is_like_before_passes_with_new_columns_and_empty_values_that_were_known():
    usual = {
        "age": (30, 69, 71),
        "job": ("nurse", "clerk", "nurse"),
        "note": ("a note of 3xx",) * 3,
        "city": (None, "Rome", ""),
    }
    assert faults_of(LEARNED, {**usual, "new": (1, 2, 3)}, DataSchemaParameters(most_categories=20)) == []


def test_the_schema_gate_says_what_broke():
    values = ColumnValues({"age": tuple(range(20, 70))}, {"age": (200,) * 10 + (30,) * 90})
    said = judged("data-schema", evidence(rows(), values=values))
    assert (said.outcome, said.reason) == (
        GateOutcome.FAIL,
        "“age” is out of the range in 10.0 % of the newest 100 rows.",
    )
    assert judged("data-schema", evidence(rows(), values=values), allowedShare=0.2).outcome is GateOutcome.PASS
    assert judged("data-schema", evidence(rows(), values=values), leastRows=500).outcome is GateOutcome.INCONCLUSIVE
    assert judged("data-schema", evidence(rows())).outcome is GateOutcome.PASS


# --- a trial of serving


@pytest.mark.parametrize(
    ("trial", "outcome", "reason"),
    [
        (ServingTrial("", 50, 12.0, 700.0), "pass", "50 requests, 95 % of them within 12.0 ms, 700 MB at most."),
        (ServingTrial("", 50, 300.0, 700.0), "fail", "; 200 ms are allowed."),
        (ServingTrial("", 50, 12.0, 9000.0), "fail", "; 2,048 MB are allowed."),
        (ServingTrial("", 50, 12.0, 700.0, unlike=3), "fail", "; 3 answers are not those that were judged."),
        (
            ServingTrial("its process was ended by SIGKILL."),
            "fail",
            "It does not serve: its process was ended by SIGKILL.",
        ),
        (ServingTrial(), "inconclusive", "There is no holdout example to ask it about."),
        (None, "inconclusive", "It was not tried in a predictor."),
    ],
)
def test_a_trial_of_serving_passes_or_fails_in_words(trial, outcome, reason):
    said = judged("infra", evidence(rows(), serving=trial))
    assert said.outcome == outcome and said.reason.endswith(reason)


# --- what is fetched for them


def test_a_policy_reads_only_what_its_gates_ask_for():
    gates = [
        {"type": "loads"},
        {"type": "slices", "parameters": {"by": "column", "names": ["country"]}},
        {"type": "slices", "name": "views", "parameters": {"by": "view", "names": ["Old ones"]}},
        {"type": "infra", "parameters": {"requests": 20, "timeoutS": 30}},
    ]
    assert gate_policy_of({"gates": gates[:1]}).reads == GateReads()
    assert gate_policy_of({"gates": gates}).reads == GateReads(
        frozenset({"country"}), frozenset({"Old ones"}), serving_requests=20, serving_timeout_s=30
    )


def test_slices_say_of_what_and_labels_do_not():
    for wrong in ({"by": "column"}, {"by": "truth", "names": ["x"]}, {}, {"by": "moon"}):
        with pytest.raises(ValueError, match="cannot be used"):
            gate_policy_of({"gates": [{"type": "loads"}, {"type": "slices", "parameters": wrong}]})


def test_findings_hold_an_interval_around_the_change():
    harmed = rows(harm=0.5)
    found = findings_of(harmed, by_value("country", harmed.columns["country"]), 30)
    assert all(f.low <= f.change <= f.high and f.change == pytest.approx(f.candidate - f.champion) for f in found)

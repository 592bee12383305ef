"""Which kind of shift it is, and what old rows are worth by it: each against plain replay, on streams whose shift is known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from apps.rules import replay
from apps.rules.gates import gate_policy_of, judge, judge_drifted_slice
from apps.rules.mending import (
    ContradictedAnswers,
    LaneVerdict,
    ShiftKind,
    as_before_given,
    density_ratio,
    density_weights,
    effective,
    kind_for,
    lane_verdict,
    prior_weights,
    shift_of,
    stale_rows,
    wrong_parts,
)
from tests.rules.test_gate import BETTER

SEEDS = range(5)


@pytest.mark.parametrize(
    ("cause", "moved", "given", "kind"),
    [
        ("drift", {"age"}, None, ShiftKind.COVARIATE),
        ("drift", {"vectors"}, None, ShiftKind.COVARIATE),
        ("drift", {"confidence"}, None, ShiftKind.COVARIATE),
        ("drift", {"class_mix"}, None, ShiftKind.LABEL),
        ("drift", {"class_mix", "confidence"}, True, ShiftKind.LABEL),
        ("drift", {"class_mix", "age"}, True, ShiftKind.LABEL),
        ("drift", {"class_mix"}, False, ShiftKind.COVARIATE),
        ("drift", {"class_mix", "age"}, None, ShiftKind.COVARIATE),
        ("loss", set(), None, ShiftKind.CONCEPT),
        ("data-quality", {"age"}, None, ShiftKind.NONE),
    ],
)
def test_the_kind_follows_from_what_alarmed(cause: str, moved: set[str], given: bool | None, kind: ShiftKind) -> None:
    found = shift_of(cause, moved, None, given)
    assert found.kind is kind and found.because


def test_the_policy_has_the_last_word_on_the_kind_of_shift_and_concept_drift_trains_in_full() -> None:
    assert shift_of("loss", (), ShiftKind.NONE, None).kind is ShiftKind.NONE
    assert kind_for("drift", None, "concept").kind == "full" and kind_for("loss", None, "label").kind == "incremental"
    assert kind_for("drift", "fine-tune", "concept").kind == "fine-tune"


def test_labels_that_contradict_the_model_more_than_ever_ask_for_a_run_in_full() -> None:
    assert kind_for("drift", None, "covariate", ContradictedAnswers(3, 20, 0.1)).kind == "incremental"
    found = kind_for("drift", None, "covariate", ContradictedAnswers(12, 20, 0.1))
    assert found.kind == "full" and "12 of its 20 labels contradict" in found.because
    assert kind_for("drift", "incremental", "covariate", ContradictedAnswers(20, 20, 0.1)).kind == "incremental"


@pytest.mark.parametrize(
    ("cause", "contradicted", "of", "complete", "expected"),
    [
        ("drift", 10, 50, False, LaneVerdict.AS_EVER),  # as usual: no need to ask on
        ("drift", 13, 50, False, LaneVerdict.OPEN),
        ("drift", 13, 50, True, LaneVerdict.AS_EVER),  # chance does that in one of five
        ("drift", 16, 50, False, LaneVerdict.WRONG),
        ("drift", 0, 50, False, LaneVerdict.AS_EVER),
        ("loss", 0, 50, True, LaneVerdict.WRONG),  # the alarm itself came of wrong answers
        ("groups", 0, 50, True, LaneVerdict.WRONG),
        ("data-quality", 0, 19, False, LaneVerdict.OPEN),
        ("data-quality", 0, 19, True, LaneVerdict.WRONG),  # by so few nothing is said
    ],
)
def test_a_run_is_due_only_where_labels_surely_contradict_the_model(
    cause: str, contradicted: int, of: int, complete: bool, expected: LaneVerdict
) -> None:
    assert lane_verdict(cause, ContradictedAnswers(contradicted, of, 0.2), complete=complete) is expected


def test_of_models_that_are_wrong_as_ever_few_is_retrained() -> None:
    wrong = np.random.default_rng(0).binomial(53, 0.2, 2_000)
    found = [lane_verdict("drift", ContradictedAnswers(int(n), 53, 0.2), complete=True) for n in wrong]
    assert found.count(LaneVerdict.WRONG) / 2_000 < 0.1
    worse = np.random.default_rng(0).binomial(53, 0.37, 500)
    found = [lane_verdict("drift", ContradictedAnswers(int(n), 53, 0.2), complete=True) for n in worse]
    assert found.count(LaneVerdict.WRONG) / 500 > 0.8, "from 80 % to 63 % right is seen by the labels of one lane"


def test_what_comes_in_with_each_answer_is_told_from_what_does_not() -> None:
    rng = np.random.default_rng(0)

    def drawn(n: int, share: float, moved: float = 0.0) -> tuple[dict[str, list[float]], list[str]]:
        spam = rng.uniform(size=n) < share
        return {"length": rng.normal(spam * 2.0 + moved, 1).tolist()}, np.where(spam, "spam", "ham").tolist()

    verdicts = []
    for _ in range(20):
        (before, labels), (now, answers), (other, said) = drawn(1000, 0.5), drawn(300, 0.8), drawn(300, 0.5, 1.0)
        verdicts.append((as_before_given(before, labels, now, answers), as_before_given(before, labels, other, said)))
    assert [moved for _, moved in verdicts] == [False] * 20
    assert sum(same is True for same, _ in verdicts) >= 19
    assert as_before_given({"length": [1.0] * 5}, ["ham"] * 5, {"length": [1.0] * 5}, ["ham"] * 5) is None


# covariate shift


def bent(rng: np.random.Generator, n: int, middle: float) -> tuple[np.ndarray, np.ndarray]:
    """A border that no straight line follows everywhere: which line is best depends on where rows come in."""
    x = np.column_stack([rng.normal(middle, 0.6, n), rng.normal(0, 1.2, n)])
    return x, (x[:, 1] > np.abs(x[:, 0])).astype(int)


def test_under_covariate_shift_weighed_old_rows_teach_more_than_plain_ones() -> None:
    gains = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        parts = [bent(rng, 700, -1.0), bent(rng, 300, 1.0)]
        x, y = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
        window, truth = bent(rng, 1000, 1.0)
        weights = density_weights(x, window[:200], seed=seed)
        assert weights is not None and weights.min() >= 0.2 and weights.max() <= 5.0
        assert weights[700:].mean() > 2 * weights[:700].mean()
        assert 100 < effective(weights) < 900
        plain = LogisticRegression().fit(x, y).score(window, truth)
        gains.append(LogisticRegression().fit(x, y, sample_weight=weights).score(window, truth) - plain)
    assert min(gains) > -0.01 and np.mean(gains) > 0.03, gains


def test_without_a_shift_no_old_row_counts_more_than_another() -> None:
    rng = np.random.default_rng(1)
    for seed in range(10):
        assert density_weights(rng.normal(0, 1, (800, 4)), rng.normal(0, 1, (150, 4)), seed=seed) is None
    assert density_ratio(rng.normal(0, 1, (500, 2)), rng.normal(9, 1, (19, 2)), seed=0) is None, "too few to tell"
    assert density_ratio(np.zeros((50, 0)), np.zeros((50, 0)), seed=0) is None
    assert density_ratio(np.ones((50, 2)), np.ones((50, 2)), seed=0) is None, "constant columns"


def test_a_replay_drawn_by_weight_with_what_the_loss_still_gives_sums_to_the_whole() -> None:
    rng = np.random.default_rng(2)
    weights = rng.choice([0.2, 1.0, 5.0], 2000)
    values, sums = rng.normal(3, 1, 2000), []
    for seed in range(50):
        places, left = replay.drawn(weights, 300, seed)
        assert len(set(places.tolist())) == len(places) and abs(len(places) - 300) <= 1
        sums.append((left * values[places]).sum())
    assert np.mean(sums) == pytest.approx((weights * values).sum(), rel=0.02)
    places, _ = replay.drawn(weights, 300, 0)
    assert weights[places].mean() > 1.5 * weights.mean()
    everything, left = replay.drawn(weights, 5000, 0)
    assert everything.tolist() == list(range(2000)) and left == pytest.approx(weights)
    assert len(replay.drawn(weights, 0, 0)[0]) == 0 and len(replay.drawn(np.zeros(0), 5, 0)[0]) == 0
    few, rest = replay.drawn(np.array([100.0, 1, 1, 1]), 2, 0)
    assert 0 in few and len(few) == 2 and rest[list(few).index(0)] == pytest.approx(100.0)


# label shift


def of_labels(rng: np.random.Generator, n: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    y = (rng.uniform(size=n) < share).astype(int)
    return rng.normal(y[:, None] * 1.5, 1, (n, 2)), y


def test_under_label_shift_the_priors_of_the_window_are_found_and_help() -> None:
    gains, shares = [], []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        (x, y), (held, held_y), (window, truth) = (
            of_labels(rng, 1000, 0.8),
            of_labels(rng, 400, 0.8),
            of_labels(rng, 2000, 0.2),
        )
        model = LogisticRegression().fit(x, y)
        confusion = np.zeros((2, 2))
        np.add.at(confusion, (held_y, model.predict(held)), 1)
        weights = prior_weights(confusion, np.bincount(model.predict(window), minlength=2).astype(float))
        assert weights is not None
        shares.append(weights[1] * held_y.mean())
        better = LogisticRegression().fit(x, y, sample_weight=weights[y])
        gains.append(better.score(window, truth) - model.score(window, truth))
    assert min(gains) > 0 and np.mean(gains) > 0.05, gains
    assert np.mean(shares) == pytest.approx(0.2, abs=0.06) and max(shares) < 0.35, shares


def test_a_mix_that_could_be_as_it_was_corrects_no_priors() -> None:
    rng, corrected = np.random.default_rng(3), 0
    confusion = np.array([[180.0, 20], [30, 170]])
    for _ in range(100):
        answers = rng.binomial(300, confusion.sum(axis=0)[0] / 400)
        corrected += prior_weights(confusion, np.array([answers, 300.0 - answers])) is not None
    assert corrected <= 4
    assert prior_weights(confusion, np.array([9.0, 30.0])) is None, "39 answers are too few"
    gone = prior_weights(np.array([[90.0, 10, 0], [10, 90, 0], [0, 0, 0]]), np.array([250.0, 50, 0]))
    assert gone is not None and gone[2] == 1.0, "a label that the holdout has not is not corrected"


# concept drift


def turned(rng: np.random.Generator, n: int, *, after: bool) -> tuple[np.ndarray, np.ndarray]:
    """Within the slice, the right half, what was yes has become no."""
    x = rng.uniform(-1, 1, (n, 2))
    y = x[:, 1] > 0
    return x, (y ^ (after & (x[:, 0] > 0))).astype(int)


def test_after_concept_drift_old_rows_of_the_slice_are_dropped_and_the_others_stay() -> None:
    from sklearn.ensemble import RandomForestClassifier

    gains = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        (x, y), (new, labels), (window, truth) = (
            turned(rng, 800, after=False),
            turned(rng, 80, after=True),
            turned(rng, 1000, after=True),
        )
        model = RandomForestClassifier(60, random_state=seed).fit(x, y)
        inside = wrong_parts(new, model.predict(new) != labels, x, usual=0.05, seed=seed)
        assert (x[inside][:, 0] > -0.2).all() and inside[x[:, 0] > 0.2].mean() > 0.9
        left = ~stale_rows(inside, None, y, labels)

        def score(kept: np.ndarray, x=x, y=y, new=new, labels=labels, window=window, truth=truth, seed=seed) -> float:
            forest = RandomForestClassifier(60, random_state=seed)
            return forest.fit(np.concatenate([x[kept], new]), np.concatenate([y[kept], labels])).score(window, truth)

        gains.append(score(left) - score(np.ones(len(x), bool)))
    assert min(gains) > 0.1, gains


def test_where_the_model_is_as_wrong_as_ever_nothing_is_dropped() -> None:
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        new, old = rng.uniform(size=(60, 3)), rng.uniform(size=(300, 3))
        found += bool(wrong_parts(new, rng.uniform(size=60) < 0.2, old, usual=0.2, seed=seed).any())
    assert found <= 4
    assert not wrong_parts(np.zeros((0, 2)), np.zeros(0, bool), np.ones((5, 2)), usual=0.1, seed=0).any()


def test_old_rows_outside_the_window_stay_and_no_label_is_left_without_rows() -> None:
    targets = np.array([0] * 30 + [1] * 5)
    inside = np.ones(35, bool)
    assert not stale_rows(inside, np.full(35, 0.1), targets, np.zeros(40, int)).any()
    dropped = stale_rows(inside, None, targets, np.zeros(12, int))
    assert dropped[:22].all() and not dropped[22:30].any(), "the newest 8 stay beside 12 new ones"
    assert not dropped[30:].any(), "of the other label there are five at all"


# the gate


@pytest.mark.parametrize(
    ("before", "after", "outcome", "blocking"),
    [
        ("1" * 9, "1" * 9, "inconclusive", False),
        ("1" * 5 + "0" * 15, "1" * 18 + "00", "pass", True),
        ("1" * 15 + "0" * 5, "1" * 15 + "0" * 5, "pass", True),
        ("1" * 15 + "0" * 5, "1" * 14 + "0" * 6, "inconclusive", True),
        ("1" * 18 + "00", "1" * 8 + "0" * 12, "fail", True),
        (None, "1" * 12, "pass", True),
    ],
)
def test_the_slice_is_judged_by_its_kept_out_labels(
    before: str | None, after: str, outcome: str, blocking: bool
) -> None:
    mine, theirs = (None if said is None else np.array([c == "1" for c in said]) for said in (after, before))
    assert mine is not None
    found = judge_drifted_slice(mine, theirs)
    assert (str(found.outcome), found.blocking, found.name) == (outcome, blocking, "drifted-slice")
    verdict = judge(BETTER, gate_policy_of({"gates": [{"type": "loads"}, {"type": "schema"}]}), (found,))
    assert str(verdict.outcome) == (outcome if blocking else "pass") and verdict.gates[-1] is found

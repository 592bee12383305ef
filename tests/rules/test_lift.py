import numpy as np
import pytest

from apps.rules.lift import LearningCurve, lift, resampled

ROWS = 400


def shuffled(points, seed=0, rows=ROWS):
    """The same scores, but every model is right on rows of its own."""
    rng, sure = np.random.default_rng(seed), curve(points, rows)
    return LearningCurve(sure.labels, np.array([rng.permutation(right) for right in sure.right]))


def curve(points, rows=ROWS):
    """(labels, share right) -> rows are learned in one order, so that a better model is right wherever a worse one is."""
    labels = np.array([n for n, _ in points])
    return LearningCurve(labels, np.array([np.arange(rows) < round(share * rows) for _, share in points]))


NOTHING = LearningCurve(np.empty(0, np.int64), np.empty((0, ROWS), bool))
RANDOM = curve([(100, 0.60), (200, 0.70), (300, 0.75), (400, 0.78), (500, 0.80)])


def test_half_the_labels_for_the_same_score_are_half_saved():
    active = shuffled([(100, 0.70), (200, 0.77), (250, 0.80), (500, 0.85)])
    found = lift(RANDOM, active, seed=0)
    assert (found.saved, found.random_labels, found.active_labels, found.score) == (0.5, 500, 250, 0.8)
    assert found.low < 0.5 < found.high
    assert found.sentence.startswith("Reaches the same holdout score with 50 % fewer labels, 95 % interval ")
    assert not found.at_ceiling


def test_between_two_points_the_curve_is_straight():
    active = curve([(100, 0.60), (200, 0.75), (300, 0.85)])
    assert lift(RANDOM, active, seed=0).active_labels == pytest.approx(250)


def test_a_dip_on_the_way_does_not_bend_the_line():
    active = curve([(100, 0.70), (200, 0.60), (300, 0.90)])
    assert lift(RANDOM, active, seed=0).active_labels == pytest.approx(250)


def test_a_dip_does_not_undo_what_was_reached():
    active = curve([(100, 0.70), (200, 0.82), (300, 0.72), (400, 0.81)])
    assert lift(RANDOM, active, seed=0).active_labels == pytest.approx(100 + 100 * 10 / 12)


def test_a_random_lane_that_stood_still_is_charged_for_what_it_needed():
    random = curve([(50, 0.50), (200, 0.80), (300, 0.80), (500, 0.80)])
    assert lift(random, curve([(50, 0.6), (100, 0.80), (200, 0.85)]), seed=0).random_labels == 200


def test_the_same_curve_saves_nothing():
    found = lift(RANDOM, RANDOM, seed=0)
    assert (found.saved, found.low, found.high) == (0.0, None, None)
    assert found.sentence == (
        "Reaches the same holdout score with as many labels; the holdout is too small for an interval."
    )


def test_more_labels_are_said_as_more():
    active = shuffled([(100, 0.55), (300, 0.70), (600, 0.80), (900, 0.90)])
    found = lift(RANDOM, active, seed=0)
    assert found.saved == pytest.approx(-0.2)
    assert "with 20 % more labels, 95 % interval \u2212" in found.sentence


def test_a_score_never_reached_is_said_and_not_guessed():
    found = lift(RANDOM, curve([(100, 0.5), (400, 0.6), (900, 0.7)]), seed=0)
    assert (found.saved, found.active_labels, found.low, found.high) == (None, None, None, None)
    assert found.sentence == "Has not reached random’s 80.0 % with 900 labels; 400 more than random needed."


def test_an_active_lane_with_few_labels_yet_is_not_called_worse():
    found = lift(RANDOM, curve([(50, 0.5), (100, 0.6), (200, 0.7)]), seed=0)
    assert found.sentence == "Has not reached random’s 80.0 % with 200 labels; random needed 500."


def test_an_interval_that_holds_draws_without_an_end_is_open_below():
    found = lift(RANDOM, shuffled([(100, 0.6), (300, 0.7), (500, 0.81)]), seed=0)
    assert found.saved is not None and found.low is None and found.high is not None
    assert "95 % interval never reached to" in found.sentence and found.sentence.endswith("; may be chance.")


def test_a_random_lane_at_its_ceiling_promises_no_saving():
    random = curve([(50, 0.95), (100, 0.95), (250, 0.95), (500, 0.95)])
    found = lift(random, curve([(20, 0.95), (100, 0.95), (200, 0.95)]), seed=0)
    assert (found.saved, found.at_ceiling) == (None, True)
    assert found.sentence == "Random is at its ceiling within 100 labels here, so there is nothing to save."


def test_a_holdout_too_small_to_see_growth_is_not_called_a_ceiling():
    random = shuffled([(50, 0.86), (100, 0.86), (250, 0.88), (500, 0.90)], rows=50)
    found = lift(random, curve([(20, 0.8), (100, 0.9), (200, 0.95)], rows=50), seed=0)
    assert (found.saved, found.at_ceiling) == (None, False)
    assert found.sentence == (
        "Random’s score at 100 labels cannot be told from its last on 50 holdout examples, so no saving can be promised."
    )


def test_a_point_that_was_never_wrong_on_few_rows_is_no_proof_of_a_ceiling():
    random = curve([(50, 1.0), (100, 1.0), (500, 1.0)], rows=40)
    assert not lift(random, random, seed=0).at_ceiling  # 3 in 40 may be unseen


@pytest.mark.parametrize(
    ("random", "active", "sentence"),
    [
        (NOTHING, curve([(1, 0.5)]), "The random lane has too few labels to compare yet; label more of it."),
        (RANDOM, curve([(10, 0.5), (20, 0.6)]), "The active lane has too few labels to compare yet; label more of it."),
        (
            curve([(1, 0.5), (2, 0.6), (3, 0.7)], rows=29),
            curve([(1, 0.5), (2, 0.6), (3, 0.7)], rows=29),
            "Only 29 labeled holdout examples; 1 more and the saving can be measured.",
        ),
    ],
)
def test_too_little_to_tell_says_what_is_missing(random, active, sentence):
    found = lift(random, active, seed=0)
    assert (found.saved, found.low, found.high, found.sentence) == (None, None, None, sentence)


def test_the_seed_decides_the_interval():
    active = shuffled([(100, 0.70), (200, 0.77), (250, 0.80), (500, 0.85)])
    assert lift(RANDOM, active, seed=1) == lift(RANDOM, active, seed=1) != lift(RANDOM, active, seed=2)


def test_the_interval_covers_the_truth_in_about_95_of_100_worlds():
    """Two curves of known accuracy, independent answers on 500 rows; the truth saves exactly half."""
    levels = [(100, 0.55, 0.65), (200, 0.65, 0.80), (300, 0.72, 0.84), (400, 0.80, 0.88)]
    labels, covered = np.array([n for n, _, _ in levels]), 0
    for world in range(200):
        rng = np.random.default_rng(world)
        random = LearningCurve(labels, rng.random((4, 500)) < np.array([r for _, r, _ in levels])[:, None])
        active = LearningCurve(labels, rng.random((4, 500)) < np.array([a for _, _, a in levels])[:, None])
        found = lift(random, active, seed=world, draws=200)
        covered += found.low is not None and found.high is not None and found.low <= 0.5 <= found.high
    assert covered >= 180


def test_rows_drawn_together_are_the_same_bootstrap_as_rows_drawn_alone():
    (scores,) = resampled((RANDOM,), seed=0, draws=4000)
    assert scores.mean(axis=0) == pytest.approx(RANDOM.scores, abs=0.002)
    assert scores[:, -1].std() == pytest.approx(np.sqrt(0.8 * 0.2 / ROWS), rel=0.05)


def test_curves_measured_on_other_rows_are_refused():
    with pytest.raises(ValueError, match="same holdout rows"):
        lift(RANDOM, curve([(1, 0.5), (2, 0.6), (3, 0.7)], rows=ROWS + 1), seed=0)
    with pytest.raises(ValueError, match="rise from point to point"):
        curve([(2, 0.5), (2, 0.6)])
    with pytest.raises(ValueError, match="one row of answers"):
        LearningCurve(np.array([1, 2]), np.ones((3, 5), bool))

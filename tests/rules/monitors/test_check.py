import numpy as np
import pytest

from apps.rules.monitors import DriftOutcome, Predictions, check, kolmogorov_smirnov, total_variation


def served(rng, n, mix=(0.5, 0.3, 0.2), sharpness=8.0):
    return Predictions(rng.choice(len(mix), size=n, p=mix), rng.beta(sharpness, 2.0, size=n))


def test_undrifted_windows_rarely_alarm():
    rng = np.random.default_rng(1)
    alpha, windows = 0.05, 300
    reference = served(rng, 300)
    alarms = 0
    for seed in range(windows):
        if seed % 10 == 0:
            reference = served(rng, 300)
        found = check(reference, served(rng, 150), alpha=alpha, seed=seed, draws=120)
        alarms += found.outcome is DriftOutcome.DRIFT
    assert 0 < alarms <= 2.5 * alpha * windows


def test_a_class_that_triples_is_caught_and_named():
    rng = np.random.default_rng(0)
    reference = served(rng, 1000, mix=(0.5, 0.4, 0.1))
    reference.classes[:] = np.repeat([0, 1, 2], [500, 400, 100])
    window = served(rng, 200)
    window.classes[:] = np.repeat([0, 1, 2], [80, 58, 62])
    found = check(reference, window, alpha=0.05, seed=0, labels=["one", "two", "seven"])
    assert found.outcome is DriftOutcome.DRIFT
    assert found.reasons[0] == "\u201cseven\u201d went from 10 % to 31 % of predictions"
    assert found.features[0].distance == pytest.approx(0.21)


def test_falling_confidence_is_caught_although_the_classes_stay():
    rng = np.random.default_rng(0)
    found = check(served(rng, 500), served(rng, 500, sharpness=3.0), alpha=0.01, seed=0)
    assert [feature.name for feature in found.features if feature.drifted] == ["confidence"]
    assert found.reasons[0].startswith("Half of the answers now claim at least ")


@pytest.mark.parametrize(
    ("reference", "window", "reason"),
    [
        (400, 49, "Only 49 predictions in the window; 50 are needed to tell."),
        (10, 400, "Only 10 predictions on the holdout; 50 are needed to tell."),
        (0, 0, "Only 0 predictions in the window; 50 are needed to tell."),
    ],
)
def test_too_few_predictions_are_no_verdict(reference, window, reason):
    rng = np.random.default_rng(0)
    found = check(served(rng, reference), served(rng, window), alpha=0.05, seed=0)
    assert (found.outcome, found.reasons) == (DriftOutcome.TOO_FEW, (reason,))


def test_a_class_never_seen_on_the_holdout_counts():
    rng = np.random.default_rng(0)
    window = served(rng, 100)
    window.classes[:] = 9
    assert check(served(rng, 100), window, alpha=0.05, seed=0).reasons[0] == (
        "\u201clabel 9\u201d went from 0 % to 100 % of predictions"
    )


def test_distances_are_those_computed_by_hand():
    assert total_variation(np.array([0.5, 0.5]), np.array([0.2, 0.8])) == pytest.approx(0.3)
    assert kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == pytest.approx(0.5)
    assert kolmogorov_smirnov(np.array([1.0, 1.0]), np.array([1.0])) == 0.0

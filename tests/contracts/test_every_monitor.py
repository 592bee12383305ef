"""What every monitor measures: a distance that is nothing between equals, and what chance alone would make of it."""

import numpy as np
import pytest

from apps.rules.monitors import MONITORS, MonitorComparison, Predictions, check
from apps.rules.monitors.check import DriftOutcome

every = pytest.mark.parametrize("monitor", MONITORS.values(), ids=lambda m: m.name)


def served(n, *, mix, sharpness, seed):
    rng = np.random.default_rng(seed)
    return Predictions(rng.choice(len(mix), size=n, p=mix), rng.beta(sharpness, 2.0, size=n))


REFERENCE = served(400, mix=(0.5, 0.3, 0.2), sharpness=8.0, seed=0)
MOVED = served(400, mix=(0.1, 0.1, 0.8), sharpness=2.0, seed=1)


def distance(monitor, window, draws=60):
    return monitor.distance(
        MonitorComparison(REFERENCE, window, draws, np.random.default_rng(3), ("cat", "dog", "emu"))
    )


@every
def test_its_distance_is_between_nothing_and_one_with_as_many_by_chance_as_were_asked_for(monitor):
    for window in (REFERENCE, MOVED, Predictions(np.array([2]), np.array([0.5]))):
        measured = distance(monitor, window)
        assert 0 <= measured.value <= 1 and measured.by_chance.shape == (60,)
        assert ((measured.by_chance >= 0) & (measured.by_chance <= 1)).all()
        assert len(measured.reason.split()) > 2


@every
def test_equal_predictions_have_no_distance_and_moved_ones_more_than_chance(monitor):
    assert distance(monitor, REFERENCE).value == pytest.approx(0, abs=1e-12)
    moved = distance(monitor, MOVED)
    assert moved.value > moved.by_chance.max()


@every
def test_it_is_the_same_for_a_seed(monitor):
    assert (distance(monitor, MOVED).by_chance == distance(monitor, MOVED).by_chance).all()


def test_the_chance_of_a_false_alarm_is_shared_among_all_monitors(install):
    before = {f.name: f.threshold for f in check(REFERENCE, MOVED, seed=1, alpha=0.1).features}
    install(
        MONITORS,
        "acme-monitors",
        """
        import numpy as np
        from apps.rules.monitors import Distance, DriftMonitor

        def _distance(of):
            return Distance(1.0, np.zeros(of.draws), "It always moves")

        ALWAYS = DriftMonitor("always", "Always", _distance)
        """,
        point="acme_monitors:ALWAYS",
    )
    drift = check(REFERENCE, REFERENCE, seed=1, alpha=0.1)
    assert (drift.outcome, drift.reasons) == (DriftOutcome.DRIFT, ("It always moves",))
    after = {f.name: f.threshold for f in check(REFERENCE, MOVED, seed=1, alpha=0.1).features}
    assert list(after) == [*before, "always"]
    assert all(after[name] >= before[name] for name in before)

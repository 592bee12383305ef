"""What every monitor measures: nothing between equals, and what chance alone would make of it; or why it cannot tell."""

import numpy as np
import pytest

from apps.rules.monitors import (
    MONITORS,
    CannotTell,
    Chance,
    MonitorEvidence,
    NothingToRead,
    Predictions,
    Severity,
    WindowTarget,
    check,
    judge_window,
)
from apps.rules.monitors.check import DriftOutcome
from tests.rules.monitors.evidence import NONE, predictions

every = pytest.mark.parametrize("monitor", MONITORS.values(), ids=lambda m: m.name)
of_predictions = pytest.mark.parametrize(
    "monitor", [m for m in MONITORS.values() if m.standing and m.needs == {"predictions"}], ids=lambda m: m.name
)
LABELS = ("cat", "dog", "emu")
REFERENCE = predictions(np.random.default_rng(0), 400)
MOVED = predictions(np.random.default_rng(1), 400, mix=(0.1, 0.1, 0.8), sharpness=2.0)


def measured(monitor, window, draws=60, windows=2):
    chance = Chance(draws, windows, np.random.default_rng(3))
    parameters = monitor.parameters(least_rows=2)
    return monitor.measure(MonitorEvidence(REFERENCE, window, LABELS), parameters, chance)


@of_predictions
def test_its_distance_is_between_nothing_and_one_with_as_many_by_chance_as_were_asked_for(monitor):
    for window in (REFERENCE, MOVED, Predictions(np.array([2, 2]), np.array([0.5, 0.5]))):
        for each in measured(monitor, window):
            assert 0 <= each.value <= 1 and each.by_chance.shape == (60, 2)
            assert ((each.by_chance >= 0) & (each.by_chance <= 1)).all()
            assert len(each.reason.split()) > 2


@of_predictions
def test_equal_predictions_have_no_distance_and_moved_ones_more_than_chance(monitor):
    assert [each.value for each in measured(monitor, REFERENCE)] == pytest.approx([0], abs=1e-12)
    [moved] = measured(monitor, MOVED)
    assert moved.value > moved.by_chance.max()


@of_predictions
def test_it_is_the_same_for_a_seed(monitor):
    assert (measured(monitor, MOVED)[0].by_chance == measured(monitor, MOVED)[0].by_chance).all()


@every
def test_without_what_it_reads_it_says_so_in_a_sentence(monitor):
    with pytest.raises((CannotTell, NothingToRead)) as words:
        judge_window(monitor, MonitorEvidence(NONE, NONE, LABELS), monitor.parameters(), WindowTarget(0.01))
    assert str(words.value.args[0]).endswith(".") and words.value.args[0].parts


@every
def test_its_defaults_are_settings_and_what_is_unknown_is_none(monitor):
    assert monitor.severity in set(Severity) and monitor.window_hours > 0 and monitor.needs
    with pytest.raises(ValueError, match="astrology"):
        monitor.parameters.model_validate({"astrology": 1})
    assert all(field.title for field in monitor.parameters.model_fields.values())


def test_the_chance_of_a_false_alarm_is_shared_among_all_monitors(install):
    before = {f.name: f.threshold for f in check(REFERENCE, MOVED, seed=1, alpha=0.1).features}
    install(
        MONITORS,
        "acme-monitors",
        """
        import numpy as np
        from apps.rules.monitors import DriftMonitor, FeatureMeasure

        def _measure(of, parameters, chance):
            by_chance = np.zeros((chance.draws, chance.windows))
            return [FeatureMeasure("always", 1.0, "It always moves", by_chance=by_chance)]

        ALWAYS = DriftMonitor("always", "Always", _measure, standing=True)
        """,
        point="acme_monitors:ALWAYS",
    )
    drift = check(REFERENCE, REFERENCE, seed=1, alpha=0.1)
    assert (drift.outcome, drift.reasons) == (DriftOutcome.DRIFT, ("It always moves",))
    after = {f.name: f.threshold for f in check(REFERENCE, MOVED, seed=1, alpha=0.1).features}
    assert list(after) == [*before, "always"]
    assert all(after[name] >= before[name] for name in before)

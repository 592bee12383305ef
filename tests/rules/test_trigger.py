from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import comb

import numpy as np
import pytest

from apps.rules.trigger import (
    EXACT,
    Cause,
    Guesses,
    Settings,
    TriggerEvidence,
    chance_of_at_least,
    conditions_of,
    decide,
    guesses_of,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
READY = TriggerEvidence(
    new_labels=50,
    last_label_at=NOW - timedelta(seconds=90),
    last_run_at=NOW - timedelta(hours=1),
    since=NOW - timedelta(hours=1),
    run_open=False,
)
LABELS = Settings(new_labels=50, debounce_s=60.0)
CONTRADICTED = Guesses(answers=40, contradicted=14, expected=4.0, chance=1e-5)


def test_enough_labels_and_a_pause_start_a_run():
    decision = decide(NOW, READY, LABELS)
    assert (decision.fire, decision.cause) == (True, Cause.LABELS)
    assert decision.reason == "50 new labels; it starts at 50."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"new_labels": 49}, "49 new labels; it starts at 50."),
        ({"run_open": True}, "A run is open; 50 new labels wait for the next."),
        ({"last_label_at": NOW - timedelta(seconds=59)}, "50 new labels, and more are coming in."),
        ({"last_run_at": NOW - timedelta(seconds=59)}, "The last run started less than 60 s ago."),
    ],
)
def test_each_condition_alone_holds_a_run_back(change, reason):
    decision = decide(NOW, replace(READY, **change), LABELS)
    assert (decision.fire, decision.reason, decision.cause) == (False, reason, None)


def test_no_labels_never_start_a_run():
    assert (
        decide(NOW, replace(READY, new_labels=0), replace(LABELS, new_labels=0)).reason
        == "0 new labels; it starts at 1."
    )


def test_people_who_never_pause_do_not_starve_training():
    assert decide(NOW, replace(READY, new_labels=100, last_label_at=NOW), LABELS).fire
    assert not decide(NOW, replace(READY, new_labels=99, last_label_at=NOW), LABELS).fire


def test_the_first_run_needs_no_run_before_it():
    assert decide(NOW, replace(READY, last_run_at=None, last_label_at=None), LABELS).fire


def test_with_every_cause_off_nothing_fires():
    decision = decide(NOW, READY, Settings(debounce_s=0))
    assert (decision.fire, decision.reason) == (False, "No cause is set, so no run starts by itself.")


def test_minutes_start_a_run_once_one_label_is_new():
    hourly = Settings(minutes=60)
    decision = decide(NOW, replace(READY, new_labels=1), hourly)
    assert (decision.fire, decision.cause) == (True, Cause.MINUTES)
    assert decision.reason == "60 of 60 min with 1 new label."
    assert decide(NOW - timedelta(seconds=1), READY, hourly).reason == "59 of 60 min with 50 new labels."
    nothing = decide(NOW, replace(READY, new_labels=0), hourly)
    assert (nothing.fire, nothing.reason) == (False, "No new label, so 60 min do not start a run.")


def test_minutes_wait_for_a_pause_but_not_longer_than_twice():
    busy = replace(READY, last_label_at=NOW)
    assert not decide(NOW, busy, Settings(minutes=60, debounce_s=60)).fire
    assert decide(NOW, busy, Settings(minutes=30, debounce_s=60)).fire


def test_contradicted_confidence_starts_a_run_and_says_by_how_much():
    decision = decide(NOW, replace(READY, guesses=CONTRADICTED), Settings(disagreement_points=10))
    assert (decision.fire, decision.cause) == (True, Cause.DISAGREEMENT)
    assert decision.reason == "People contradict the model on 35 % of 40 answers; it expects 10 %."


@pytest.mark.parametrize(
    "change",
    [
        {"answers": 29},
        {"chance": 0.011},
        {"contradicted": 7, "chance": 0.001},  # 7.5 points beyond what is expected
    ],
)
def test_each_condition_alone_holds_disagreement_back(change):
    guesses = replace(CONTRADICTED, **change)
    assert not decide(NOW, replace(READY, guesses=guesses), Settings(disagreement_points=10)).fire


def test_disagreement_without_a_label_to_learn_from_starts_nothing():
    nothing_new = replace(READY, guesses=CONTRADICTED, new_labels=0)
    assert not decide(NOW, nothing_new, Settings(disagreement_points=10)).fire


def test_several_causes_say_each_how_far_they_are():
    all_on = Settings(new_labels=100, minutes=90, disagreement_points=10)
    decision = decide(NOW, replace(READY, guesses=Guesses(answers=12)), all_on)
    assert decision.reason == (
        "50 new labels; it starts at 100. 60 of 90 min with 50 new labels. "
        "12 of 30 answers to compare with the model’s suggestions."
    )
    assert [c.cause for c in conditions_of(NOW, READY, all_on)] == list(Cause)


def test_the_chance_is_that_of_the_binomial_where_all_rates_are_equal():
    exact = sum(comb(40, k) * 0.1**k * 0.9 ** (40 - k) for k in range(8, 41))
    assert chance_of_at_least(8, np.full(40, 0.1)) == pytest.approx(exact)
    assert chance_of_at_least(0, np.full(40, 0.1)) == 1.0


def test_the_chance_of_unequal_rates_is_that_of_the_hand_computed_cases():
    # both of 0.1 and 0.5: 0.05; at least one: 1 - 0.9 * 0.5
    assert chance_of_at_least(2, np.array([0.1, 0.5])) == pytest.approx(0.05)
    assert chance_of_at_least(1, np.array([0.1, 0.5])) == pytest.approx(0.55)


def test_the_normal_chance_meets_the_exact_one_where_it_takes_over():
    rates = np.random.default_rng(0).uniform(0, 0.3, EXACT + 1)
    observed = round(rates.sum() + 2.33 * np.sqrt((rates * (1 - rates)).sum()))
    normal, exact = chance_of_at_least(observed, rates), chance_of_at_least(observed, rates[:-1])
    assert normal == pytest.approx(exact, abs=0.003)


def test_a_model_without_doubt_that_is_contradicted_once_cannot_be_honest():
    assert chance_of_at_least(1, np.zeros(EXACT + 1)) == chance_of_at_least(1, np.zeros(5)) == 0.0


def test_guesses_are_summed_up():
    found = guesses_of([0.9, 0.8, 0.7], [True, False, True])
    assert (found.answers, found.contradicted) == (3, 2)
    assert found.expected == pytest.approx(0.6)
    assert found.excess_points == pytest.approx(100 * 1.4 / 3)
    assert guesses_of([], []) == Guesses()


def test_a_guess_without_an_honest_confidence_is_refused():
    for confidence in ([1.2], [float("nan")], [0.5, 0.5]):
        with pytest.raises(ValueError, match="between 0 and 1"):
            guesses_of(confidence, [True])


def test_an_honest_model_looked_at_after_every_answer_fires_seldom():
    """A hundred runs of 120 answers with a look every ten, at the default of ten points."""
    rng, fired = np.random.default_rng(0), 0
    for _ in range(100):
        confidence = rng.uniform(0.5, 1.0, 120)
        against = rng.random(120) > confidence
        for n in range(30, 121, 10):
            guesses = guesses_of(confidence[:n].tolist(), against[:n].tolist())
            if decide(NOW, replace(READY, guesses=guesses), Settings(disagreement_points=10)).fire:
                fired += 1
                break
    assert fired <= 5

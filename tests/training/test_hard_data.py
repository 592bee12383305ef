"""Labels of which a third is wrong, cells that are no number, and what keeps an incremental run from harm."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from apps.rules import replay
from tests.training.recipes import recipe_for
from tests.training.samples import DIGITS, clouds, digits
from workers.training.fit.loop import fit
from workers.training.fit.warm_start import warm_start
from workers.training.models.bundle import predict
from workers.training.models.networks import TextHead

LABELS = ("a", "b", "c")
NOISE = 0.3


def noisy(targets, seed=0):
    """Three labels in ten drawn anew from all ten digits."""
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(targets)) < NOISE
    return np.where(wrong, rng.integers(10, size=len(targets)), targets)


def accuracy(bundle, rows, targets):
    return float((predict(bundle, rows).argmax(axis=1) == targets).mean())


def test_with_three_labels_in_ten_wrong_a_full_and_an_incremental_run_still_learn():
    rows, targets = digits(1200)
    held, truth = digits(597, start=1200)
    given = noisy(targets)
    base = fit(rows[:900], given[:900], DIGITS, recipe_for("image-classification")).bundle
    before = accuracy(base, held, truth)
    assert before > 0.85
    recipe = recipe_for("image-classification", "incremental", replay_size=900)
    kept = replay.choose(given[:900], recipe.replay_size, seed=0)
    chosen = [*rows[900:], *(rows[i] for i in kept)]
    after = fit(chosen, np.concatenate([given[900:], given[:900][kept]]), DIGITS, recipe, base=base).bundle
    assert accuracy(after, held, truth) > before - 0.03


def test_cells_that_are_no_number_count_as_missing():
    rng = np.random.default_rng(0)
    ages = rng.integers(18, 80, size=400)
    bad = (float("nan"), float("inf"), None, "", "NaN")
    rows = [{"age": float(age), "height": bad[i % 5]} for i, age in enumerate(ages)]
    recipe = recipe_for("tabular-classification", hidden=32, batch_size=64)
    found = fit(rows, (ages > 45).astype(int), ("no", "yes"), recipe).bundle
    assert accuracy(found, rows, ages > 45) > 0.95
    assert np.isfinite(predict(found, [{"age": float("nan"), "height": float("nan")}])).all()


def test_shrink_and_perturb_multiplies_what_was_learned_and_adds_noise():
    rows, targets = clouds(100)
    base = fit(rows, targets, LABELS, recipe_for("text-classification", hidden=16, epochs=1, least_steps=0)).bundle
    learned = base.module.state_dict()

    def warmed(shrink, perturb):
        module = TextHead(16, 16, 0.0, 3)
        warm_start(module, LABELS, base, shrink, perturb, torch.Generator().manual_seed(0))
        return module.state_dict()

    shrunk = warmed(0.6, 0.0)
    assert torch.equal(shrunk["head.weight"], 0.6 * learned["head.weight"])
    assert torch.equal(shrunk["head.bias"], learned["head.bias"])  # biases stay
    noise = warmed(1.0, 0.01)["body.1.weight"] - learned["body.1.weight"]
    assert float(noise.std()) == pytest.approx(0.01, rel=0.15)


def test_training_stops_early_when_the_slice_of_train_gets_no_better_and_keeps_the_best_epoch():
    rows, targets = clouds(400)
    noise = np.random.default_rng(1).integers(3, size=400)  # nothing but chance to learn
    recipe = recipe_for(
        "text-classification", hidden=64, epochs=60, least_steps=0, batch_size=32, patience=3, dropout=0.0
    )
    found = fit(rows, noise, LABELS, recipe)
    assert (found.stopped, found.epochs_run) == ("early", found.best_epoch + 3)
    assert fit(rows, targets, LABELS, replace(recipe, epochs=2)).stopped == "epochs"


def test_the_holdout_decides_nothing():
    rows, targets = clouds(300)
    recipe = recipe_for("text-classification", hidden=16, epochs=6, least_steps=0, batch_size=32, patience=1)
    held, truth = clouds(60, seed=3)
    one = fit(rows, targets, LABELS, recipe, holdout=(held, truth))
    other = fit(rows, targets, LABELS, recipe, holdout=(held, (truth + 1) % 3))  # a holdout that is wrong throughout
    assert one.best_epoch == other.best_epoch
    weights = other.bundle.module.state_dict()
    assert all(value.equal(weights[name]) for name, value in one.bundle.module.state_dict().items())

"""Votes of an ensemble made by dropout: they differ between members and do not depend on how rows are cut."""

import numpy as np
import pytest
import torch

from tests.training.recipes import recipe_for
from workers.training.models.bundle import Bundle, predict
from workers.training.models.inputs import TextInput
from workers.training.models.score import VectorScorer, votes


def bundle(hidden: int) -> Bundle:
    recipe, preprocessor = recipe_for("text-classification", hidden=hidden), TextInput(8)
    torch.manual_seed(0)
    return Bundle(("a", "b", "c"), recipe, preprocessor, preprocessor.network(recipe, 3).eval(), temperature=1.7)


ROWS = np.random.default_rng(0).normal(size=(12, 8)).astype(np.float16)


@pytest.mark.parametrize("hidden", [0, 16], ids=["linear", "two layers"])
def test_members_disagree_are_seeded_and_see_every_row_alike(hidden: int) -> None:
    model, rows = bundle(hidden), ROWS.astype(np.float32)
    said = votes(model, rows, members=5, seed=3)
    assert said.shape == (5, 12, 3)
    assert np.allclose(said.sum(axis=2), 1, atol=1e-5)
    assert said.std(axis=0).max() > 0.01
    assert np.array_equal(said, votes(model, rows, members=5, seed=3))
    assert not np.allclose(said, votes(model, rows, members=5, seed=4))
    cut = np.concatenate([votes(model, part, members=5, seed=3) for part in (rows[:5], rows[5:])], axis=1)
    assert np.allclose(said, cut, atol=1e-6)
    assert np.array_equal(predict(model, rows), predict(bundle(hidden), rows))  # the model itself is as before


@pytest.mark.parametrize("hidden", [0, 16], ids=["linear", "two layers"])
def test_scoring_vectors_says_what_the_model_predicts(hidden: int) -> None:
    model, rows = bundle(hidden), ROWS.copy()
    rows.flags.writeable = False  # as mapped pages are
    assert np.allclose(VectorScorer(model)(rows), predict(model, rows.astype(np.float32)), atol=1e-6)


def test_what_a_scorer_gave_survives_the_next_chunk() -> None:
    scorer = VectorScorer(bundle(0))
    first = scorer(ROWS[:6])
    kept = first.copy()
    scorer(ROWS[6:])
    assert np.array_equal(first, kept)

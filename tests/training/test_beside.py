"""Trees and a regression beside a table’s network: they answer as scikit-learn’s do, are kept in the file, chosen by rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.recipes import recipe_for
from workers.training.fit.beside import at_random, partitions
from workers.training.fit.loop import fit
from workers.training.fit.members import MemberSettings, TableMembers
from workers.training.fit.tables import RefitRows
from workers.training.models.bundle import dump, load, predict
from workers.training.models.inputs import TabularInput
from workers.training.models.networks import TabularNet

TABLE = "tabular-classification"
QUICK = replace(recipe_for(TABLE), epochs=2, least_steps=20)
WAYS = {"a": 0, "b": 1, "c": 1, "d": 0}


def rows(n: int, *, seed: int = 0, slope: float = 1.0) -> tuple[list[dict[str, Any]], list[int]]:
    """What a tree sees and a line does not: the label turns with a number and with the kind."""
    rng = np.random.default_rng(seed)
    x, kind, noise = rng.normal(size=n), rng.choice(list(WAYS), n), rng.random(n)
    y = [
        int((abs(a) * slope > 0.7) != WAYS[k]) if u > 0.05 else int(u * 100) % 2
        for a, k, u in zip(x, kind, noise, strict=True)
    ]
    made = [{"x": float(a), "kind": str(k), "one": 1} for a, k in zip(x, kind, strict=True)]
    for each in made[::50]:
        each["x"] = None  # missing
    return made, y


def members(n: int, classes: int = 2) -> tuple[TableMembers, TabularNet]:
    found, y = rows(n)
    truth = np.array(y) if classes == 2 else np.arange(n) % classes
    learned = TabularInput.fit(found)
    network = learned.network(QUICK, classes)
    assert isinstance(network, TabularNet)
    return TableMembers(network, learned.tensor(found), truth, 0), network


@pytest.mark.parametrize("classes", [2, 5])
def test_trees_and_regression_answer_as_scikit_learn_does(classes: int) -> None:
    made, _ = members(600, classes)
    places, settings = np.arange(600), MemberSettings(30, 1.0)
    beside = made.fitted(places, settings, (0.0, 0.5, 0.5))
    present, y = np.unique(made.y, return_inverse=True)
    boosted = made._boosted(beside, places, y, settings.stage)
    codes = beside.codes(made.x)
    expected = boosted.predict_proba(codes.numpy())
    assert np.abs(beside.trees(codes).softmax(dim=1).numpy() - expected).max() < 1e-9
    from sklearn.linear_model import LogisticRegression

    plain = LogisticRegression(C=1.0, solver="newton-cholesky").fit(made._one_hot(places), y)
    found = beside.regression(made.x).softmax(dim=1).numpy()
    assert np.abs(found - plain.predict_proba(made._one_hot(places))).max() < 1e-4
    assert len(present) == classes


def test_the_blend_is_kept_in_the_file_and_answers_alike() -> None:
    found, y = rows(500)
    model = fit(found, y, ("no", "yes"), QUICK).bundle
    assert isinstance(model.module, TabularNet) and model.module.beside is not None
    assert float(model.module.beside.shares.sum()) == pytest.approx(1)
    again = load(dump(model))
    assert np.array_equal(predict(model, found[:50]), predict(again, found[:50]))
    assert dump(again) == dump(model)
    said = predict(model, rows(400, seed=1)[0])
    assert np.allclose(said.sum(axis=1), 1, atol=1e-4)
    assert (said.argmax(axis=1) == rows(400, seed=1)[1]).mean() > 0.9, "a network of two epochs knows nothing of it"


def test_a_label_that_no_row_has_is_held_for_hardly_possible() -> None:
    found, y = rows(200)
    said = predict(fit(found, [2 * each for each in y], ("no", "maybe", "yes"), QUICK).bundle, found)
    assert said[:, 1].max() < 0.2 and np.isfinite(said).all()


@pytest.mark.parametrize(("n", "labels"), [(12, None), (300, "one of the second")])
def test_too_few_rows_or_labels_leave_the_network_alone(n: int, labels: str | None) -> None:
    found, y = rows(n)
    if labels:
        y = [0] * (n - 1) + [1]
    model = fit(found, y, ("no", "yes"), QUICK).bundle
    assert isinstance(model.module, TabularNet) and model.module.beside is None


def test_an_incremental_run_fits_them_anew_on_all_rows_it_may_learn_from() -> None:
    found, y = rows(500)
    base = fit(found, y, ("no", "yes"), QUICK).bundle
    new, truth = rows(500, seed=2, slope=0.4)
    recipe = replace(recipe_for(TABLE, "incremental"), epochs=1, least_steps=5)
    told: list[str] = []
    alone = fit(new[:50], truth[:50], ("no", "yes"), recipe, base=base, on_notice=told.append).bundle
    with_all = fit(
        new[:50], truth[:50], ("no", "yes"), recipe, base=base, refit=RefitRows(new, truth), on_notice=told.append
    ).bundle
    assert "fitted anew on 50 rows" in told[0] and "fitted anew on 500 rows" in told[1]
    assert all(isinstance(each.module, TabularNet) for each in (base, alone, with_all))
    right = [(predict(each, new).argmax(axis=1) == truth).mean() for each in (base, alone, with_all)]
    assert right[2] > right[1] > right[0] + 0.02
    shares = [each.module.beside.shares for each in (base, with_all)]  # type: ignore[union-attr]
    assert torch.equal(*shares) and with_all.temperature == base.temperature


def test_rows_in_time_order_are_judged_by_those_that_come_after() -> None:
    y = np.arange(100) % 2
    times = np.random.default_rng(0).permutation(100).astype(float)
    parts = partitions(y, times, 0)
    assert len(parts) == 4
    for train, judging in parts:
        assert times[train].max() < times[judging].min() and len(judging) == 15
    assert len(partitions(np.arange(20_000) % 2, np.arange(20_000.0), 0)) == 2, "each costs a training of the network"
    for train, judging in at_random(y, 0):
        assert not set(train) & set(judging) and set(y[judging]) == {0, 1}
    assert sorted(np.concatenate([judging for _, judging in at_random(y, 0)])) == list(range(100))


def test_where_the_relation_turns_with_time_it_says_what_random_rows_would_have_promised() -> None:
    early, y = rows(400)
    late, turned = rows(400, seed=3)
    told: list[str] = []
    fit(
        [*early, *late],
        [*y, *(1 - each for each in turned)],
        ("no", "yes"),
        QUICK,
        times=range(800),
        on_notice=told.append,
    )
    promised, said = told[1].split("accuracy of ")[1].split(", later rows say ")
    assert float(promised.rstrip("%")) > float(said.rstrip("%")) + 5, told


def test_rows_count_as_often_as_they_are_said_to() -> None:
    """Half of the rows say the opposite; those that count ten times have their way, in all three."""
    early, y = rows(600)
    late, turned = rows(600, seed=3)
    both, truth = [*early, *late], [*y, *(1 - each for each in turned)]
    asked, right = rows(300, seed=4)
    for weights, expected in (([10.0] * 600 + [1.0] * 600, 1.0), ([1.0] * 600 + [10.0] * 600, 0.0)):
        model = fit(both, truth, ("no", "yes"), QUICK, weights=weights).bundle
        assert isinstance(model.module, TabularNet) and model.module.beside is not None
        said = (predict(model, asked).argmax(axis=1) == right).mean()
        assert abs(said - expected) < 0.15, (weights[0], said)
        new = fit(
            both[:50],
            truth[:50],
            ("no", "yes"),
            replace(recipe_for(TABLE, "incremental"), epochs=1, least_steps=5),
            base=model,
            refit=RefitRows(both, truth, weights[::-1]),
        ).bundle
        assert abs((predict(new, asked).argmax(axis=1) == right).mean() - expected) > 0.5

import json
import struct

import numpy as np
import pytest
import torch

from tests.training.recipes import recipe_for
from tests.training.samples import clouds, digits, table
from workers.training.learners import learner_named
from workers.training.models.bundle import Bundle, BundleUnreadable, dump, load, predict

SETS = {
    "text-classification": clouds(40)[0],
    "image-classification": digits(40)[0],
    "tabular-classification": table(40)[0],
}


def untrained(task_type: str, temperature: float = 1.5) -> Bundle:
    recipe = recipe_for(task_type, hidden=16)
    learned = learner_named(task_type).input.fit(SETS[task_type])
    torch.manual_seed(0)
    return Bundle(("a", "b", "c"), recipe, learned, learned.network(recipe, 3).eval(), temperature)


@pytest.mark.parametrize("task_type", sorted(SETS))
def test_a_bundle_survives_the_round_trip_bit_by_bit(task_type):
    bundle = untrained(task_type)
    blob = dump(bundle)
    again = load(blob)
    assert dump(again) == blob
    assert (again.labels, again.recipe, again.preprocessor, again.temperature) == (
        bundle.labels,
        bundle.recipe,
        bundle.preprocessor,
        1.5,
    )
    assert np.array_equal(predict(again, SETS[task_type]), predict(bundle, SETS[task_type]))


@pytest.mark.parametrize("task_type", sorted(SETS))
def test_probabilities_sum_to_one_and_do_not_depend_on_the_batches(task_type):
    bundle, rows = untrained(task_type), SETS[task_type]
    whole = predict(bundle, rows)
    assert (whole.shape, whole.dtype) == ((40, 3), np.float32)
    assert whole.sum(axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert predict(bundle, rows, batch_size=7) == pytest.approx(whole, abs=1e-6)
    assert predict(bundle, rows[:0]).shape == (0, 3)


def test_a_high_temperature_lowers_confidence_and_keeps_the_order():
    rows = SETS["text-classification"]
    cool, warm = (predict(untrained("text-classification", divisor), rows) for divisor in (1.0, 4.0))
    assert (warm.max(axis=1) < cool.max(axis=1)).all()
    assert (warm.argmax(axis=1) == cool.argmax(axis=1)).all()


@pytest.mark.parametrize("task_type", ["text-classification", "image-classification"])
def test_one_broken_row_is_nan_and_leaves_its_neighbors_alone(task_type):
    bundle, rows = untrained(task_type), list(SETS[task_type])
    whole = predict(bundle, rows)
    rows[5] = np.full(16, np.nan, dtype=np.float32) if task_type.startswith("text") else b"broken"
    found = predict(bundle, rows)
    assert np.isnan(found[5]).all()
    assert np.delete(found, 5, axis=0) == pytest.approx(np.delete(whole, 5, axis=0), abs=1e-6)


@pytest.mark.parametrize(
    "damage",
    [
        lambda blob: b"",
        lambda blob: blob[:50],
        lambda blob: blob[:-9],
        lambda blob: b"\xff" * 64,
        lambda blob: blob.replace(b'\\"temperature\\"', b'\\"tempo_ratura\\"'),
        lambda blob: blob.replace(b'\\"hidden\\": 16', b'\\"hidden\\": 17'),
    ],
)
def test_a_damaged_model_file_is_refused_by_name(damage):
    with pytest.raises(BundleUnreadable):
        load(damage(dump(untrained("text-classification"))))


def test_a_model_file_holds_no_pickle():
    blob = dump(untrained("text-classification"))
    (length,) = struct.unpack_from("<Q", blob)
    assert json.loads(blob[8 : 8 + length])["__metadata__"]["fastloop"].startswith("{")

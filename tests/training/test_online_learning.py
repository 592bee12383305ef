"""The online learner: what it says before it learns, what it becomes as a bundle, and how its state is kept."""

from typing import Any

import numpy as np
import pytest

from tests.training.samples import DIGITS, clouds, digits, table
from workers.training.models.bundle import dump, load, predict
from workers.training.models.inputs import Rows
from workers.training.models.linear import ALL_BITS, HashedInput
from workers.training.models.score import VectorScorer, votes
from workers.training.online import learning as online

TABLE, TEXT, IMAGE = "tabular-classification", "text-classification", "image-classification"


def vw_says(state: online.OnlineState, rows: Rows) -> np.ndarray:
    """VW's own normalised probabilities of rows that it does not learn."""
    assert state.reader is not None
    lines = [f"| 0:1{line}\n" for line in state.reader.lines(rows)]
    said, _ = online.drive(f"-t {online.options(state, state.reader)}", lines, state.model, len(state.labels))
    return said


def learned_of_each_kind() -> list[tuple[online.OnlineState, Any]]:
    rows, targets = table(400)
    vectors, kinds = clouds(400)
    pictures, numbers = digits(300)
    return [
        (online.learn(online.begin(TABLE, ("no", "yes")), rows, targets).state, table(50, seed=9)[0]),
        (online.learn(online.begin(TEXT, ("a", "b", "c")), vectors, kinds).state, clouds(50, seed=9)[0]),
        (online.learn(online.begin(IMAGE, DIGITS), pictures, numbers).state, digits(50, 300)[0]),
    ]


def test_the_bundle_says_of_each_row_what_vw_says_of_it() -> None:
    for state, rows in learned_of_each_kind():
        bundle = load(dump(online.bundle_of(state)))
        assert np.abs(predict(bundle, rows) - vw_says(state, rows)).max() < 1e-4, state.task_type


def test_a_table_with_values_and_columns_never_seen_is_read_as_vw_reads_it() -> None:
    rows, targets = table(400)
    state = online.learn(online.begin(TABLE, ("no", "yes")), rows, targets).state
    strange: list[dict[str, object]] = [{"age": 200, "job": "astronaut"}, {"job": "pilot|nurse"}, {"age": "41"}, {}]
    bundle = online.bundle_of(state)
    known = [{name: row.get(name) for name, _ in bundle.preprocessor.to_json()["columns"]} for row in strange]
    assert np.isfinite(predict(bundle, [{**row, "new": 3} for row in strange])).all()
    assert np.abs(predict(bundle, known[:1]) - vw_says(state, known[:1])).max() < 1e-4
    assert np.abs(predict(bundle, known[2:]) - vw_says(state, known[2:])).max() < 1e-4


def test_each_example_is_predicted_before_it_is_learned() -> None:
    rows, targets = table(1)
    repeated = online.learn(online.begin(TABLE, ("no", "yes")), rows * 30, np.repeat(targets, 30))
    truth = repeated.probabilities[:, targets[0]]
    assert truth[0] == pytest.approx(0.5)  # nothing is known of the first one
    assert truth[-1] > 0.75
    assert repeated.loss_sum == pytest.approx(float(-np.log(truth).sum()), rel=1e-4)
    assert repeated.right == int((repeated.probabilities.argmax(axis=1) == targets[0]).sum())


def test_two_updates_with_the_state_packed_between_them_are_as_good_as_one() -> None:
    rows, targets = table(600)
    whole = online.learn(online.begin(TABLE, ("no", "yes")), rows, targets)
    first = online.learn(online.begin(TABLE, ("no", "yes")), rows[:200], targets[:200])
    second = online.learn(online.unpack(online.pack(first.state)), rows[200:], targets[200:])
    assert second.state.examples == 600
    assert np.abs(second.probabilities - whole.probabilities[200:]).max() < 0.01
    forgot = online.learn(online.begin(TABLE, ("no", "yes")), rows[200:], targets[200:])
    assert second.loss_sum < 0.95 * forgot.loss_sum


def test_vectors_images_and_tables_are_learned() -> None:
    rows, targets = table(2000)
    assert online.learn(online.begin(TABLE, ("no", "yes")), rows, targets).right > 0.85 * 2000
    vectors, kinds = clouds(1000)
    assert online.learn(online.begin(TEXT, ("a", "b", "c")), vectors, kinds).right > 0.95 * 1000
    pictures, numbers = digits(1500)
    assert online.learn(online.begin(IMAGE, DIGITS), pictures, numbers).right > 0.85 * 1500


def test_a_row_that_cannot_be_read_is_left_out_and_the_others_learn() -> None:
    vectors, kinds = clouds(100)
    vectors[7] = np.nan
    learned = online.learn(online.begin(TEXT, ("a", "b", "c")), vectors, kinds)
    assert (learned.examples, learned.state.examples) == (99, 99)
    assert np.isnan(learned.probabilities[7]).all() and np.isfinite(np.delete(learned.probabilities, 7, axis=0)).all()


def test_one_class_alone_is_learned() -> None:
    rows, _ = table(50)
    learned = online.learn(online.begin(TABLE, ("no", "yes")), rows, np.ones(50, np.int64))
    assert learned.right >= 48
    assert predict(online.bundle_of(learned.state), rows)[:, 1].min() > 0.8


def test_nothing_new_changes_nothing() -> None:
    state = online.begin(TABLE, ("no", "yes"))
    assert online.learn(state, [], []).state is state


def test_a_target_outside_the_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the 2 labels"):
        online.learn(online.begin(TABLE, ("no", "yes")), table(2)[0], [0, 2])


@pytest.mark.parametrize("cut", [0, 5, 20, 60, -1])
def test_a_damaged_state_is_refused_before_vw_reads_it(cut: int) -> None:
    rows, targets = table(50)
    blob = online.pack(online.learn(online.begin(TABLE, ("no", "yes")), rows, targets).state)
    with pytest.raises(online.StateUnreadable):
        online.unpack(blob[:cut])
    with pytest.raises(online.StateUnreadable):
        online.unpack(blob[:-3] + bytes([blob[-3] ^ 1]) + blob[-2:])


def test_the_pool_is_scored_and_voted_on_by_what_was_learned_online() -> None:
    (table_state, rows), (text_state, vectors), _ = learned_of_each_kind()
    text = online.bundle_of(text_state)
    scored = VectorScorer(text)(vectors.astype(np.float16))
    assert np.abs(scored - predict(text, vectors.astype(np.float16).astype(np.float32))).max() < 1e-4
    for bundle, asked in ((text, vectors), (online.bundle_of(table_state), rows)):
        said = votes(bundle, asked, members=4, seed=1)
        assert said.shape == (4, 50, len(bundle.labels)) and np.isfinite(said).all()
        assert np.ptp(said, axis=0).max() > 0.01  # the members do not all say the same


def test_many_classes_leave_a_hash_fewer_bits_so_that_memory_stays_bounded() -> None:
    rows, targets = table(20)
    state = online.learn(online.begin(TABLE, [f"c{i}" for i in range(500)]), rows, targets).state
    assert isinstance(state.reader, HashedInput)
    assert state.reader.bits == ALL_BITS - 9
    assert f"-b {ALL_BITS} " in online.options(state, state.reader)
    assert np.abs(predict(online.bundle_of(state), rows) - vw_says(state, rows)).max() < 1e-4

from dataclasses import replace

import numpy as np
import pytest

from tests.training.recipes import recipe_for
from tests.training.samples import DIGITS, clouds, digits, table
from workers.training.fit.loop import TrainingReport, fit, learning_rate
from workers.training.models.bundle import dump, predict
from workers.training.refusals import (
    BaseDoesNotFit,
    Canceled,
    CheckpointUnreadable,
    NothingToTrain,
    OneClassOnly,
    RowsUnreadable,
)

LABELS = ("a", "b", "c")
QUICK = recipe_for("text-classification", hidden=16, epochs=4, least_steps=0, batch_size=32, report_every_s=0.0)


def accuracy(bundle, rows, targets):
    return float((predict(bundle, rows).argmax(axis=1) == targets).mean())


def test_450_digits_are_enough_for_95_percent():
    rows, targets = digits(450)
    found = fit(rows, targets, DIGITS, recipe_for("image-classification"))
    assert accuracy(found.bundle, *digits(1347, start=450)) >= 0.95


def test_a_table_is_learned_although_cells_are_missing():
    rows, targets = table(800)
    found = fit(rows, targets, ("no", "yes"), recipe_for("tabular-classification", hidden=32, batch_size=64))
    assert accuracy(found.bundle, *table(400, seed=1)) >= 0.9


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    rows, targets = clouds(200)
    one, again = (dump(fit(rows, targets, LABELS, QUICK).bundle) for _ in range(2))
    other = dump(fit(rows, targets, LABELS, replace(QUICK, seed=1)).bundle)
    assert one == again
    assert one[2000:] != other[2000:]


@pytest.mark.parametrize(
    ("task_type", "place"),
    [
        ("text-classification", 0),
        ("text-classification", 5),
        ("text-classification", -1),  # 5 and -1 end an epoch
        ("image-classification", 8),
    ],
)
def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(task_type, place):
    rows, targets = clouds(200, classes=10) if task_type.startswith("text") else digits(200)
    recipe = replace(
        recipe_for(task_type, hidden=16, epochs=3, least_steps=0, batch_size=32),
        checkpoint_every_s=0.0,
        validation_share=0.1,
    )
    saved: list[bytes] = []
    whole = fit(rows, targets, DIGITS, recipe, on_checkpoint=saved.append)
    assert len(saved) == whole.steps == 18
    resumed = fit(rows, targets, DIGITS, replace(recipe, checkpoint_every_s=60.0), resume=saved[place])
    assert resumed.steps == 18
    weights = resumed.bundle.module.state_dict()
    assert all(value.equal(weights[name]) for name, value in whole.bundle.module.state_dict().items())
    assert (resumed.best_epoch, resumed.bundle.temperature) == (whole.best_epoch, whole.bundle.temperature)


def test_how_often_a_run_reports_does_not_change_its_weights():
    rows, targets = clouds(200)
    often = fit(rows, targets, LABELS, QUICK, holdout=clouds(50, seed=1))
    rarely = fit(rows, targets, LABELS, replace(QUICK, report_every_s=3600.0))
    weights = rarely.bundle.module.state_dict()
    assert all(value.equal(weights[name]) for name, value in often.bundle.module.state_dict().items())


def test_a_corrupted_checkpoint_is_refused_by_name():
    rows, targets = clouds(200)
    saved: list[bytes] = []
    fit(rows, targets, LABELS, replace(QUICK, checkpoint_every_s=0.0), on_checkpoint=saved.append)
    flipped = bytearray(saved[0])
    flipped[len(flipped) // 2] ^= 1
    for blob in (bytes(flipped), saved[0][:100], b""):
        with pytest.raises(CheckpointUnreadable, match="damaged"):
            fit(rows, targets, LABELS, QUICK, resume=blob)


def test_a_checkpoint_of_another_run_is_refused():
    rows, targets = clouds(200)
    saved: list[bytes] = []
    fit(rows, targets, LABELS, replace(QUICK, checkpoint_every_s=0.0), on_checkpoint=saved.append)
    for recipe, labels in ((replace(QUICK, seed=9), LABELS), (QUICK, ("a", "b", "z"))):
        with pytest.raises(CheckpointUnreadable, match="another recipe or other rows"):
            fit(rows, targets, labels, recipe, resume=saved[0])


def test_a_run_stops_when_asked_at_its_next_report():
    rows, targets = clouds(200)
    reports: list[TrainingReport] = []
    with pytest.raises(Canceled, match="Canceled after 3 steps"):
        fit(rows, targets, LABELS, QUICK, on_report=reports.append, should_stop=lambda: len(reports) == 3)


def test_a_report_tells_progress_and_the_holdout():
    rows, targets = clouds(400)
    reports: list[TrainingReport] = []
    found = fit(rows, targets, LABELS, QUICK, on_report=reports.append, holdout=clouds(50, seed=1))
    last = reports[-1]
    assert (last.step, last.steps_total, last.epoch) == (found.steps, 48, found.epochs_run)
    assert last.holdout_accuracy == pytest.approx(accuracy(found.bundle, *clouds(50, seed=1)), abs=0.05)
    assert 0 < last.train_loss < reports[0].train_loss  # the last report repeats the last step, it does not say 0
    assert last.samples_per_s > 0
    assert all(report.seconds_left >= 0 for report in reports[:-1])


def test_without_a_holdout_its_curve_is_absent():
    rows, targets = clouds(60)
    reports: list[TrainingReport] = []
    fit(rows, targets, LABELS, QUICK, on_report=reports.append)
    assert reports[0].holdout_accuracy is None
    assert reports[0].validation_loss is None


@pytest.mark.parametrize(
    ("rows", "targets", "refusal", "sentence"),
    [
        (np.zeros((0, 4)), [], NothingToTrain, "There is no labeled example"),
        (np.ones((5, 4)), [1] * 5, OneClassOnly, "All 5 examples are labeled 'b'. Training needs two labels."),
        (np.array([[1.0], [np.nan], [np.inf]]), [0, 1, 0], RowsUnreadable, "2 of 3 rows cannot be read; .* is row 1"),
        (np.ones((2, 4)), [0, 3], ValueError, "outside the 3 labels"),
        (np.ones((2, 4)), [0], ValueError, "1 targets do not fit 2 rows"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence(rows, targets, refusal, sentence):
    with pytest.raises(refusal, match=sentence):
        fit(rows, targets, LABELS, QUICK)


def test_a_broken_image_is_refused_by_its_number():
    rows, targets = digits(20)
    with pytest.raises(RowsUnreadable, match=r"1 of 20 rows cannot be read; the first is row 7\."):
        fit([*rows[:7], b"broken", *rows[8:]], targets, DIGITS, recipe_for("image-classification"))


def test_two_examples_of_two_labels_can_be_trained():
    found = fit(np.eye(2), [0, 1], ("a", "b"), QUICK)
    assert np.isfinite(predict(found.bundle, np.eye(2))).all()


def incremental(**overrides):
    return recipe_for("text-classification", "incremental", batch_size=32, **overrides)


def test_a_new_label_is_learned_and_the_old_ones_are_kept_by_name():
    rows, targets = clouds(600, classes=4)
    old = targets < 3
    base = fit(rows[old], targets[old], LABELS, replace(QUICK, epochs=15)).bundle
    shuffled = ("new", "c", "a", "b")
    moved = np.array([2, 3, 1, 0])[targets]
    found = fit(rows, moved, shuffled, incremental(epochs=8), base=base).bundle
    assert found.labels == shuffled
    fresh, fresh_targets = clouds(300, classes=4, seed=5)
    assert accuracy(found, fresh, np.array([2, 3, 1, 0])[fresh_targets]) >= 0.95


def test_a_warm_start_without_shrinking_begins_where_the_base_ended():
    rows, targets = clouds(200)
    base = fit(rows, targets, LABELS, QUICK).bundle
    still = incremental(epochs=1, learning_rate=1e-7, shrink=1.0, perturb=0.0)
    found = fit(rows, targets, LABELS, still, base=base).bundle
    assert predict(found, rows) == pytest.approx(predict(base, rows), abs=1e-3)
    assert found.recipe.hidden == base.recipe.hidden == 16


def test_an_incremental_run_needs_a_base_of_its_task():
    rows, targets = clouds(50)
    with pytest.raises(BaseDoesNotFit, match="needs a model to start from"):
        fit(rows, targets, LABELS, incremental())
    base = fit(rows, targets, LABELS, QUICK).bundle
    with pytest.raises(BaseDoesNotFit, match="does text-classification, this run image-classification"):
        fit(digits(50)[0], digits(50)[1], DIGITS, recipe_for("image-classification", "incremental"), base=base)


def test_embeddings_kept_at_half_precision_train_as_well():
    rows, targets = clouds(200)
    found = fit(rows.astype(np.float16), targets, LABELS, replace(QUICK, epochs=10))
    assert accuracy(found.bundle, rows, targets) > 0.9


def test_the_learning_rate_climbs_and_falls():
    rates = [learning_rate(step, 100, 1.0) for step in range(100)]
    assert max(rates) == rates[9] == 1.0
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] < 0.02


def test_few_rows_get_more_epochs_so_that_a_small_project_is_trained_as_long_as_a_large_one():
    rows, targets = clouds(40)
    found = fit(rows, targets, LABELS, replace(QUICK, least_steps=50))
    assert (found.epochs_run, found.steps) == (25, 50)

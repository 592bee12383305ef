"""Fine-tuning the installed encoder, cut to one layer, on texts that a test can wait for."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch

from apps.rules.encoders import tuned_name
from apps.rules.training_report import TrainingReport
from tests.training.mail import NAMES, mail, small
from tests.training.recipes import recipe_for
from workers.training.encoders import encoder as encoders
from workers.training.encoders.encoder import EncoderMissing, SentenceEncoder, encoder
from workers.training.encoders.tuned import TunedEncoder
from workers.training.finetune.fine_tune import fine_tune
from workers.training.finetune.network import TunedNetwork, tokens_of
from workers.training.fit.checkpoint import DIGEST_BYTES
from workers.training.fit.reports import Listeners
from workers.training.models.bundle import BundleUnreadable, dump, load, predict
from workers.training.recipes import FineTuneRecipe
from workers.training.refusals import Canceled, CheckpointUnreadable, OneClassOnly, RowsUnreadable, TaskNotTuned

STILL = {"dropout": 0.0, "encoder_dropout": 0.0}


@pytest.fixture(autouse=True)
def no_encoder_is_known(monkeypatch):
    monkeypatch.setattr(encoders, "_known", type(encoders._known)())
    monkeypatch.setattr(encoders, "_made", type(encoders._made)())


def same(one, other):
    return one.keys() == other.keys() and all(value.equal(other[name]) for name, value in one.items())


def test_before_its_first_step_the_network_makes_the_installed_encoders_vectors():
    texts, _ = mail(20)
    network = TunedNetwork(small(encoder_layers=6), 2).eval()
    with torch.inference_mode():
        found = network._vectors(tokens_of(texts, 256)).numpy()
    assert (
        np.abs(found - SentenceEncoder().encode(texts).astype(np.float32)).max() < 5e-3
    )  # float16, some processors bfloat16


@pytest.mark.parametrize(("adapter", "megabytes"), [("lora", 1), ("all", 70)])
def test_a_tuned_model_survives_its_file_and_brings_its_encoder_along(adapter, megabytes):
    texts, targets = mail(80)
    before = SentenceEncoder().encode(texts)
    bundle = fine_tune(texts, targets, NAMES, small(7, adapter=adapter, epochs=3)).bundle
    blob = dump(bundle)
    again = load(blob)
    assert dump(again) == blob
    assert len(blob) < megabytes * 1e6
    assert (again.encoder, encoder(again.encoder).name) == (tuned_name(7), tuned_name(7))
    vectors = encoder(again.encoder).encode(texts)
    assert np.abs(vectors - before).max() > 0.05  # another space: vectors of the two never mix
    assert (predict(again, vectors).argmax(axis=1) == targets).all()


def test_the_encoder_of_a_file_makes_the_vectors_that_its_head_was_trained_on():
    texts, targets = mail(60)
    recipe = small(8, epochs=3, checkpoint_every_s=0.0, validation_share=0.0, **STILL)
    saved: list[bytes] = []
    bundle = fine_tune(texts, targets, NAMES, recipe, listeners=Listeners(on_checkpoint=saved.append)).bundle
    network = TunedNetwork(recipe, 2)
    network.load_state_dict(torch.load(io.BytesIO(saved[-1][DIGEST_BYTES:]), weights_only=True)["module"], strict=False)
    with torch.inference_mode():
        expected = network.eval()._vectors(tokens_of(texts, 256)).numpy()
    assert np.abs(TunedEncoder(bundle.tuned).encode(texts).astype(np.float32) - expected).max() < 5e-3


def test_only_the_adapter_and_the_head_learn_unless_all_is_asked_for():
    texts, targets = mail(40)
    lora = fine_tune(texts, targets, NAMES, small(epochs=1)).measured
    everything = fine_tune(texts, targets, NAMES, small(epochs=1, adapter="all")).measured
    assert lora["weights_trained"] < 0.02 * lora["weights"]
    assert everything["weights_trained"] == everything["weights"]


@pytest.mark.parametrize("adapter", ["lora", "all"])
def test_a_resumed_fine_tune_ends_with_the_weights_of_an_unbroken_one(adapter):
    texts, targets = mail(40)
    recipe = small(adapter=adapter, epochs=1, checkpoint_every_s=0.0)
    saved: list[bytes] = []
    whole = fine_tune(texts, targets, NAMES, recipe, listeners=Listeners(on_checkpoint=saved.append)).bundle
    resumed = fine_tune(texts, targets, NAMES, recipe, resume=saved[1]).bundle
    assert same(whole.tuned.tensors, resumed.tuned.tensors)
    assert same(whole.module.state_dict(), resumed.module.state_dict())
    if adapter == "lora":
        assert len(saved[1]) < 5e6  # what is frozen is not in the checkpoint


def test_another_runs_checkpoint_is_refused():
    texts, targets = mail(40)
    saved: list[bytes] = []
    recipe = small(epochs=1, checkpoint_every_s=0.0)
    fine_tune(texts, targets, NAMES, recipe, listeners=Listeners(on_checkpoint=saved.append))
    with pytest.raises(CheckpointUnreadable, match="another recipe"):
        fine_tune(texts, targets, NAMES, replace(recipe, lora_rank=8), resume=saved[0])


def test_gradients_in_parts_tune_as_one_batch_does():
    texts, targets = mail(64)
    recipe = small(epochs=1, validation_share=0.0, **STILL)
    whole = fine_tune(texts, targets, NAMES, recipe).bundle.tuned.tensors
    parts = fine_tune(texts, targets, NAMES, replace(recipe, accumulate=4)).bundle.tuned.tensors
    assert max(float((parts[name] - value).abs().max()) for name, value in whole.items()) < 1e-5


def test_texts_of_like_length_share_a_batch_and_each_is_taken_once_an_epoch():
    rng, size = np.random.default_rng(0), 8
    lengths = rng.integers(1, 60, size=203)
    ids = torch.zeros(203, 60, dtype=torch.int32)
    for row, length in zip(ids, lengths, strict=True):
        row[:length] = 7
    drawn = torch.randperm(203, generator=torch.Generator().manual_seed(0))
    network = TunedNetwork(small(), 2)
    one, other = (network.arranged(drawn, ids, size, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert sorted(one.tolist()) == list(range(203))
    assert one.tolist() != other.tolist()

    def computed(order):
        return sum(int(lengths[part].max()) * len(part) for part in order.split(size))

    assert computed(one) < 1.15 * lengths.sum() < 0.7 * computed(drawn)
    few = network.arranged(drawn[:5], ids, size, torch.Generator())  # less than a batch
    assert few.tolist() == drawn[:5].tolist()


def test_memory_that_ends_halves_the_texts_at_once(monkeypatch):
    plain = TunedNetwork._vectors

    def small_memory(self, ids):
        if torch.is_grad_enabled() and len(ids) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return plain(self, ids)

    monkeypatch.setattr(TunedNetwork, "_vectors", small_memory)
    said: list[str] = []
    found = fine_tune(*mail(40), NAMES, small(epochs=1), listeners=Listeners(on_notice=said.append))
    assert found.measured["micro_batch"] == 4
    assert [sentence.split("going on with ")[1][0] for sentence in said] == ["8", "4"]


def test_reports_tell_the_encoders_learning_rate_and_the_end_is_measured():
    reports: list[TrainingReport] = []
    recipe = small(learning_rate=0.01, encoder_learning_rate=1e-4)
    texts, targets = mail(40)
    found = fine_tune(texts, targets, NAMES, recipe, holdout=mail(10, 1), listeners=Listeners(on_report=reports.append))
    assert max(report.learning_rate for report in reports) <= 1e-4
    assert reports[-1].holdout_accuracy is not None
    assert (found.measured["world_size"], found.measured["peak_share"]) == (1, None)
    assert found.measured["tokens_per_s"] == pytest.approx(
        found.measured["samples_per_s"] * float(tokens_of(texts, 256).ne(0).sum()) / 40, rel=0.01
    )
    assert found.measured["peak_memory_mb"] > 100


def test_a_fine_tune_stops_early_on_a_slice_of_train():
    texts, targets = mail(200)
    noise = np.random.default_rng(0).permutation(targets).tolist()  # nothing to learn, so validation gets no better
    found = fine_tune(texts, noise, NAMES, small(epochs=12, patience=1, adapter="all", encoder_learning_rate=1e-3))
    assert (found.stopped, found.epochs_run < 12) == ("early", True)


@pytest.mark.parametrize("task_type", ["image-classification", "tabular-classification"])
def test_only_texts_are_fine_tuned(task_type):
    with pytest.raises(TaskNotTuned, match=f"{task_type} has none that learns. Train in full instead."):
        recipe_for(task_type, "fine-tune", encoder=tuned_name(1))
    with pytest.raises(TaskNotTuned, match=f"{task_type} has none that learns. Train in full instead."):
        fine_tune([b"x"], [0], NAMES, FineTuneRecipe(task_type=task_type, encoder=tuned_name(1)))


@pytest.mark.parametrize(
    ("texts", "targets", "refusal", "sentence"),
    [
        (["win", ""], [0, 1], RowsUnreadable, "1 of 2 texts are empty; the first is row 1."),
        (["win", None], [0, 1], RowsUnreadable, "1 of 2 texts are empty"),
        (["win", "lunch"], [1, 1], OneClassOnly, "All 2 examples are labeled 'spam'."),
    ],
)
def test_texts_that_cannot_be_tuned_on_are_refused_in_a_sentence(texts, targets, refusal, sentence):
    with pytest.raises(refusal, match=sentence):
        fine_tune(texts, targets, NAMES, small())


def test_a_fine_tune_stops_when_asked():
    with pytest.raises(Canceled, match="Canceled after 1 steps"):
        fine_tune(*mail(40), NAMES, small(), listeners=Listeners(should_stop=lambda: True))


def test_a_file_whose_encoder_has_no_name_of_a_run_is_refused():
    texts, targets = mail(40)
    bundle = fine_tune(texts, targets, NAMES, small(epochs=1)).bundle
    name = "all-minilm-l6-v2"
    other = replace(bundle, recipe=replace(bundle.recipe, encoder=name), tuned=replace(bundle.tuned, name=name))
    with pytest.raises(BundleUnreadable, match="the name of an installed encoder"):
        load(dump(other))
    with pytest.raises(BundleUnreadable, match="another encoder than the one its model reads"):
        load(dump(replace(bundle, tuned=replace(bundle.tuned, name=tuned_name(99)))))


def test_an_encoder_that_a_process_has_not_met_is_known_once_its_file_was_read():
    blob = dump(fine_tune(*mail(40), NAMES, small(31, epochs=1)).bundle)
    with pytest.raises(EncoderMissing, match=r"No encoder is called 'all-minilm-l6-v2\+run-31'"):
        encoder(tuned_name(31))
    assert not encoders.is_known(tuned_name(31))
    load(blob)
    assert encoders.is_known(tuned_name(31))
    assert encoder(tuned_name(31)).name == tuned_name(31)
    assert encoder(tuned_name(31)) is encoder(tuned_name(31))


def test_few_tuned_encoders_stay_in_memory():
    for number in range(12):
        encoders.register(f"tuned-{number}", lambda: object())
        encoder(f"tuned-{number}")
    assert len(encoders._known) == encoders.MOST_KNOWN
    assert list(encoders._made) == ["tuned-10", "tuned-11"]

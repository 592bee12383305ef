import numpy as np
import pytest

from tests.training.recipes import recipe_for
from tests.training.samples import parquet
from workers.training.encoders.encoder import DIM, ENCODER_NAME, SentenceEncoder
from workers.training.fit.loop import fit
from workers.training.models.bundle import predict

TEXTS = ["I lost my card", "", "My card has been lost somewhere and I cannot find it", "Exchange rates today?"]


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder()


def test_similar_texts_are_near_and_vectors_have_length_one(encoder):
    found = encoder.encode(TEXTS).astype(np.float32)
    assert found.shape == (4, DIM)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(4), abs=1e-3)
    assert found[0] @ found[2] > 0.7 > 0.4 > found[0] @ found[3]


def test_the_order_of_texts_does_not_matter(encoder):
    forward, backward = encoder.encode(TEXTS), encoder.encode(TEXTS[::-1])[::-1]
    assert (forward.astype(np.float32) * backward.astype(np.float32)).sum(axis=1) == pytest.approx(np.ones(4), abs=2e-3)


def test_the_fast_way_stays_within_a_thousandth_of_full_precision(encoder):
    fast = encoder.encode(TEXTS).astype(np.float32)
    encoder.half, half = False, encoder.half
    exact = encoder.encode(TEXTS).astype(np.float32)
    encoder.half = half
    assert (fast * exact).sum(axis=1).min() >= 0.999


def test_progress_ends_at_the_total_and_no_text_is_no_error(encoder):
    told = []
    assert encoder.encode(["a"] * 35, batch_size=1, on_progress=lambda done, total: told.append((done, total))).any()
    assert told == [(16, 35), (32, 35), (35, 35)]
    assert encoder.encode([]).shape == (0, DIM)


def test_the_name_is_the_key_of_the_shards(encoder):
    assert encoder.name == ENCODER_NAME == "all-minilm-l6-v2"


def test_twelve_intents_of_banking77_are_learned_from_texts(encoder):
    columns = parquet("banking77")
    labels = sorted(set(columns["label"]))[:12]
    chosen = {
        part: [
            i
            for i, (label, split) in enumerate(zip(columns["label"], columns["split"], strict=True))
            if label in labels and split == part
        ][::5]
        for part in ("train", "test")
    }
    rows = {part: encoder.encode([columns["text"][i] for i in places]) for part, places in chosen.items()}
    targets = {part: np.array([labels.index(columns["label"][i]) for i in places]) for part, places in chosen.items()}
    found = fit(rows["train"], targets["train"], labels, recipe_for("text-classification"))
    assert (predict(found.bundle, rows["test"]).argmax(axis=1) == targets["test"]).mean() >= 0.9

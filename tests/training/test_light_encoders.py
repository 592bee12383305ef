"""Vectors without a network: alike what is alike, the same on every machine, and zeros for what cannot be read."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from workers.training.encoders.encoder import EncoderMissing, encoder
from workers.training.encoders.light import HashedRow, HashedWords, Thumbnail


def png(pixels: np.ndarray) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(sink, "PNG")
    return sink.getvalue()


def alike(vectors: np.ndarray, a: int, b: int) -> float:
    return float(vectors[a].astype(float) @ vectors[b].astype(float))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(EncoderMissing, match="No encoder is called 'x'"):
        encoder("x")


def test_texts_that_share_words_or_spellings_are_alike() -> None:
    found = HashedWords().encode(["my card is lost", "I lost my cards", "the weather is fine today", "", "…"])
    assert alike(found, 0, 1) > alike(found, 0, 2) + 0.2
    assert np.allclose(np.linalg.norm(found[:3].astype(float), axis=1), 1, atol=2e-3)
    assert not found[3:].any()


def test_thumbnails_see_shapes_whatever_the_brightness() -> None:
    bar = np.zeros((32, 32))
    bar[:, 10:16] = 100
    brighter, other = bar * 2 + 20, bar.T
    found = Thumbnail().encode([png(bar), png(brighter), png(other), b"no image", png(np.full((32, 32), 7))])
    assert found.shape == (5, 256)
    assert alike(found, 0, 1) > 0.999
    assert alike(found, 0, 2) < 0.5
    assert not found[3:].any()


def test_rows_are_alike_by_number_and_category_and_a_missing_cell_weighs_nothing() -> None:
    rows = [
        {"age": 30, "city": "Bonn"},
        {"age": 31, "city": "Bonn"},
        {"age": 3000, "city": "Bonn"},
        {"age": 30, "city": "Rome"},
        {"age": 30, "city": "Bonn", "note": None, "more": float("nan")},
        {"note": None},
        "no row",
    ]
    found = HashedRow().encode(rows)
    assert alike(found, 0, 1) > 0.95
    assert alike(found, 0, 1) > alike(found, 0, 2)
    assert alike(found, 0, 1) > alike(found, 0, 3)
    assert not found[5:].any()


def test_another_process_gives_the_same_vectors() -> None:
    code = (
        "import sys; from workers.training.encoders.light import HashedWords;"
        "sys.stdout.write(HashedWords().encode(['the same everywhere']).tobytes().hex())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert HashedWords().encode(["the same everywhere"]).tobytes().hex() == other

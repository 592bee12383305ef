"""An encoder that somebody brought is loaded from its folder or fetched from its store, and embeds like an installed one."""

import shutil
from pathlib import Path

import fsspec
import numpy as np
import pytest

from apps.features.models import Encoder, EncoderState, WeightsIn
from tests.conftest import NOON
from workers.encoders import encoder_ready
from workers.tasks.encoders import check
from workers.training.encoders import encoder as encoders
from workers.training.encoders.encoder import EncoderMissing, encoder, weights_folder


@pytest.fixture
def bring(db, settings, tmp_path):
    settings.HOME = tmp_path / "home"
    made = []

    def row(name: str, url: str) -> Encoder:
        made.append(name)
        return Encoder.objects.create(
            name=name, title=name, payload="text", weights_in=WeightsIn.FOLDER, url=url, added_at=NOON
        )

    yield row
    for name in made:
        encoders._known.pop(name, None)
        encoders._made.pop(name, None)


@pytest.fixture
def folder(tmp_path) -> Path:
    """The installed weights under another roof."""
    return Path(shutil.copytree(weights_folder(), tmp_path / "ours"))


def checked(row: Encoder) -> Encoder:
    check(row.pk)
    row.refresh_from_db()
    return row


def test_a_folder_becomes_ready_and_embeds(bring, folder):
    row = checked(bring("ours", f"file://{folder}"))
    assert (row.state, row.dim, row.error) == (EncoderState.READY, 384, "")
    made = encoder_ready("ours").encode(["win a prize"])
    assert np.allclose(made, encoder().encode(["win a prize"]), atol=2e-3)
    assert encoder_ready("ours") is encoder_ready("ours")


def test_a_folder_in_a_store_is_fetched_once(bring, folder):
    store = fsspec.filesystem("memory")
    store.put(f"{folder}/", "/encoders/ours/", recursive=True)
    assert checked(bring("fetched", "memory://encoders/ours")).state == EncoderState.READY
    store.rm("/encoders/ours", recursive=True)
    assert encoder_ready("fetched").dim == 384


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "modules.json").unlink(), "no modules.json"),
        (lambda f: next(f.rglob("*.safetensors")).write_bytes(b"x" * 50), "cannot be loaded"),
        (lambda f: next(f.rglob("*.safetensors")).rename(f / "model.bin"), "are a pickle"),
        (shutil.rmtree, "There is no folder"),
    ],
)
def test_a_folder_that_is_no_encoder_says_so_and_ends_no_worker(bring, folder, spoil, words):
    spoil(folder)
    row = checked(bring("broken", f"file://{folder}"))
    assert row.state == EncoderState.FAILED and words in row.error


def test_a_store_that_does_not_answer_is_a_sentence(bring):
    row = checked(bring("away", "memory://nothing/here"))
    assert row.state == EncoderState.FAILED and row.error


def test_a_name_without_a_row_is_missing(db):
    with pytest.raises(EncoderMissing, match="'nobody'"):
        encoder_ready("nobody")

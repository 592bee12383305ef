"""Encoders by the name of their row: made known to this process where they are not yet."""

import hashlib
from pathlib import Path
from tempfile import mkdtemp

import fsspec
from django.conf import settings

from apps.features.models import Encoder, WeightsIn
from apps.features.selectors import encoder_named
from apps.integrations import wiring
from workers.training.encoders.encoder import EncoderMissing, PayloadEncoder, encoder, is_known, register
from workers.training.encoders.folder import FolderEncoder
from workers.training.models.bundle import load


def encoder_ready(name: str) -> PayloadEncoder:
    """The process's encoder of this name, loaded at its first use. Raises EncoderMissing, Unavailable."""
    if not is_known(name):
        row = encoder_named(name)
        if row is None or not row.url:
            raise EncoderMissing(f"No encoder is called {name!r}.")
        make_known(row)
    return encoder(name)


def make_known(row: Encoder) -> None:
    if row.weights_in == WeightsIn.RUN:
        load(wiring.storage().read(row.url))  # which registers what it holds
    elif row.weights_in == WeightsIn.FOLDER:
        folder = fetched(row.url)
        register(row.name, lambda: FolderEncoder(row.name, folder))


def fetched(url: str) -> Path:
    """The folder on this machine: as it is where it lies here, else copied once from its store."""
    files, path = fsspec.core.url_to_fs(url)
    if "file" in (files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)):
        return Path(path)
    kept = settings.HOME / "encoders" / hashlib.sha256(url.encode()).hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        half = Path(mkdtemp(dir=kept.parent))
        try:
            files.get(path.rstrip("/") + "/", f"{half}/", recursive=True)
        except Exception as fault:  # each store has errors of its own
            raise EncoderMissing(f"The weights at {url} could not be fetched: {fault}") from fault
        half.rename(kept)
    return kept

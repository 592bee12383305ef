"""Trained models by the URL of their file, the last few kept in memory; and encoders that a run fine-tuned, by name."""

from functools import lru_cache

from apps.integrations import wiring
from apps.loop.services.encoders import encoder_file
from workers.training.encoder import EncoderMissing, find_with
from workers.training.model import Bundle, load


@lru_cache(maxsize=4)
def bundle_at(url: str) -> Bundle:
    """Raises Unavailable when the file is gone, BundleUnreadable when it is not a model."""
    return load(wiring.storage().read(url))


def tuned_encoder_found(name: str) -> None:
    """Load the model file that holds this encoder, which makes it known. Raises EncoderMissing."""
    url = encoder_file(name)
    if not url:
        raise EncoderMissing(f"The run that made the encoder {name!r} has no model file.")
    load(wiring.storage().read(url))


find_with(tuned_encoder_found)

"""Trained models by the URL of their file, the last few kept in memory."""

from functools import lru_cache

from apps.integrations import wiring
from workers.training.models.bundle import Bundle, load


@lru_cache(maxsize=4)
def bundle_at(url: str) -> Bundle:
    """Raises Unavailable when the file is gone, BundleUnreadable when it is not a model."""
    return load(wiring.storage().read(url))

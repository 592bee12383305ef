"""Trained models by the URL of their file, the last few kept in memory."""

from dataclasses import replace
from functools import lru_cache

from apps.integrations import wiring
from apps.projects.selectors import schema_of
from apps.training.models import Run
from workers.training.models.bundle import Bundle, load


def bundle_today(run: Run) -> Bundle:
    """The model of a run with its labels as they are called now, whatever they were called when it was trained."""
    bundle = bundle_at(run.artifact_url)
    return replace(bundle, labels=schema_of(run.project).today(bundle.labels))


@lru_cache(maxsize=4)
def bundle_at(url: str) -> Bundle:
    """Raises Unavailable when the file is gone, BundleUnreadable when it is not a model."""
    return load(wiring.storage().read(url))

"""Encoders by name: what turns a payload into the vector that diversity, cold start and similarity look at.

The names alone, for forms and services; the code that encodes is in `workers.training.encoder`.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.projects import task_types
from apps.projects.models import Project

_TEXT: dict[str, str | Promise] = {
    "all-minilm-l6-v2": gettext_lazy("MiniLM: sentence meaning, English"),
    "hashed-words-256": gettext_lazy("Hashed words: shared words and spellings, any language, a hundred times as fast"),
}
# By payload kind; the first of each is its default. Vectors of two encoders never mix: the name is the key of the shards.
_BY_KIND: dict[str, dict[str, str | Promise]] = {
    "text": _TEXT,
    "pair": _TEXT,
    "image": {"thumbnail-16": gettext_lazy("Thumbnail: 16 by 16 grey pixels")},
    "tabular": {"hashed-row-64": gettext_lazy("Hashed row: numbers on a logarithmic scale and categories")},
}


def encoders_for(task_type: str) -> dict[str, str | Promise]:
    """Name to description, the default first."""
    return _BY_KIND[task_types.get(task_type).kind]


def encoder_of(project: Project) -> str:
    """The encoder that a project's next model is trained with."""
    known = encoders_for(project.task_type)
    chosen = project.queue.encoder
    return chosen if chosen in known else next(iter(known))

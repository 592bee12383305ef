"""Encoders by name: what turns a payload into the vector that diversity, cold start and similarity look at.

The names alone, for forms and services; the code that encodes is in `workers.training.encoder`.
"""

from apps.projects.models import Project

# The first of each task type is its default. Vectors of two encoders never mix: the name is the key of the shards.
ENCODERS: dict[str, dict[str, str]] = {
    "text-classification": {
        "all-minilm-l6-v2": "MiniLM: sentence meaning, English",
        "hashed-words-256": "Hashed words: shared words and spellings, any language, a hundred times as fast",
    },
    "image-classification": {"thumbnail-16": "Thumbnail: 16 by 16 grey pixels"},
    "tabular-classification": {"hashed-row-64": "Hashed row: numbers on a logarithmic scale and categories"},
}


def encoder_of(project: Project) -> str:
    """The encoder that a project's next model is trained with."""
    known = ENCODERS[project.task_type]
    return project.encoder if project.encoder in known else next(iter(known))

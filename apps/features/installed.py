"""The encoders that come with the console, by name; their rows are made by a migration and never go."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

TITLES: dict[str, str | Promise] = {
    "all-minilm-l6-v2": gettext_lazy("MiniLM: sentence meaning, English"),
    "hashed-words-256": gettext_lazy("Hashed words: shared words and spellings, any language, a hundred times as fast"),
    "thumbnail-16": gettext_lazy("Thumbnail: 16 by 16 grey pixels"),
    "hashed-row-64": gettext_lazy("Hashed row: numbers on a logarithmic scale and categories"),
}
# By payload kind, the default first: of projects that choose none.
INSTALLED: dict[str, tuple[str, ...]] = {
    "text": ("all-minilm-l6-v2", "hashed-words-256"),
    "pair": ("all-minilm-l6-v2", "hashed-words-256"),
    "image": ("thumbnail-16",),
    "tabular": ("hashed-row-64",),
}
READS_LIKE = {"pair": "text"}  # a pair is read as all its text

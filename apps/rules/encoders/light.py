"""Encoders without a network: words, pictures and table rows, the same on every machine."""

from apps.rules.encoders.encoder import InstalledEncoder

HASHED_WORDS = InstalledEncoder(
    name="hashed-words-256",
    title="Hashed words: shared words and spellings, any language, a hundred times as fast",
    payloads=("text", "pair"),
    dim=256,
    made_by="workers.training.encoders.light:HashedWords",
)
THUMBNAIL = InstalledEncoder(
    name="thumbnail-16",
    title="Thumbnail: 16 by 16 grey pixels",
    payloads=("image",),
    dim=256,
    made_by="workers.training.encoders.light:Thumbnail",
)
HASHED_ROW = InstalledEncoder(
    name="hashed-row-64",
    title="Hashed row: numbers on a logarithmic scale and categories",
    payloads=("tabular",),
    dim=64,
    made_by="workers.training.encoders.light:HashedRow",
)

